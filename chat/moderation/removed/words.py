"""What is done in the audit log, in words and with a sign; and kinds of removal."""

from __future__ import annotations

#: By the name of the action: how a row reads after the name of whoever did it, and an icon.
ACTIONS = {
    "message.removed": ("Removed a message", "eye-off"),
    "message.restored": ("Restored a message", "undo-2"),
    "hidden.listed": ("Listed hidden text", "list"),
    "hidden.read": ("Read hidden text", "eye"),
    # sanctions
    "sanction.imposed": ("Imposed a sanction", "gavel"),
    "sanction.lifted": ("Lifted a sanction", "undo-2"),
    "sanction.ended": ("Ended a sanction in time", "clock"),
    "appeal.granted": ("Granted an appeal", "check"),
    "appeal.refused": ("Refused an appeal", "x"),
    # rules and held messages
    "rule.made": ("Made a rule", "list-checks"),
    "rule.changed": ("Changed a rule", "pencil"),
    "rule.switched": ("Switched a rule", "settings"),
    "rule.deleted": ("Deleted a rule", "trash-2"),
    "held.approved": ("Approved a held message", "check"),
    "held.refused": ("Refused a held message", "x"),
    "held.reopened": ("Took a refusal back", "undo-2"),
    # reports
    "report.read": ("Read what was reported", "eye"),
    "report.assigned": ("Assigned a report", "user-cog"),
    "report.kept": ("Closed a report, nothing to do", "check"),
    "report.removed": ("Closed a report, acted on it", "flag"),
    "report.escalated": ("Escalated a report", "triangle-alert"),
    "report.reopened": ("Reopened a report", "undo-2"),
    "hidden.pictured": ("Looked at a hidden picture", "eye"),
    # sweeps
    "sweep.started": ("Began a sweep", "eye-off"),
    "sweep.removed": ("Removed messages in a sweep", "eye-off"),
    "sweep.restored": ("Put messages of a sweep back", "undo-2"),
    # purges, retention, holds
    "purge.requested": ("Asked to purge a message", "trash-2"),
    "purge.refused": ("Refused a purge", "x"),
    "purge.rule": ("Changed how many agree to a purge", "settings"),
    "message.purged": ("Purged a message", "trash-2"),
    "retention.changed": ("Changed how long removed text is kept", "archive"),
    "retention.purged": ("Destroyed text whose time was over", "archive"),
    "hold.made": ("Made a legal hold", "lock"),
    "hold.released": ("Released a legal hold", "lock"),
    "hold.exported": ("Exported a legal hold", "download"),
    # roles
    "owner.named": ("Named the owner of a room", "key-round"),
    "member.appointed": ("Made somebody a moderator of a room", "key-round"),
    "member.dismissed": ("Took somebody's moderation of a room", "key-round"),
    "audit.exported": ("Exported the audit log", "download"),
    "security.exported": ("Exported security events", "download"),
    "look.changed": ("Changed the look of the site", "palette"),
    "role.changed": ("Changed a role", "users"),
}

#: The kinds of removal.
BY = {"moderator": "By a moderator", "author": "By its author", "sweep": "In a sweep"}
