"""What is done in the audit log, in words and with a sign."""

from __future__ import annotations

#: By the name of the action: how a row reads after the name of whoever did it, and an icon.
ACTIONS = {
    "message.removed": ("Removed a message", "eye-off"),
    "message.restored": ("Restored a message", "undo-2"),
    "hidden.listed": ("Listed hidden text", "list"),
    "hidden.read": ("Read hidden text", "eye"),
    "audit.exported": ("Exported the audit log", "download"),
    "role.changed": ("Changed a role", "users"),
}
