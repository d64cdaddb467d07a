"""What names may hold, and what there is to see in a text."""

from __future__ import annotations

import regex

#: Characters that leave nothing on a page: by Unicode white space, what is ignored where it cannot be shown, controls and
#: format characters (but for those that are drawn over numbers), and the few that are drawn as a blank.
_BLANK = regex.compile(
    r"[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}[\p{Cf}--\p{Prepended_Concatenation_Mark}]"
    r"\u2800\u303F\uFFFC\U00013441\U00013442\U00016FE4\U0001D159]*",
    regex.VERSION1,
)


def is_blank(text: str) -> bool:
    """Tell whether there is nothing to see in a text, whatever characters it has."""
    return _BLANK.fullmatch(text) is not None
