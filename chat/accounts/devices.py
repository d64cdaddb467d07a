"""From what a browser calls itself to what a person calls it."""

from __future__ import annotations

from ua_parser import parse


def describe(user_agent: str) -> tuple[str, str]:
    """Return such as ``("Firefox on Debian", "computer")``: the name, and phone, tablet or computer."""
    found = parse(user_agent)
    browser = found.user_agent.family if found.user_agent else "A browser"
    system = found.os.family if found.os else ""
    device = found.device.family if found.device else ""
    if "iPad" in user_agent or "Tablet" in device:
        shape = "tablet"
    elif "Mobi" in user_agent:
        shape = "phone"
    else:
        shape = "computer"
    name = (
        f"{browser.replace('Mobile ', '').replace(' Mobile', '')} on {system}"
        if system and system != "Other"
        else browser
    )
    return name[:60], shape
