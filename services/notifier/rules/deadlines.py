"""How long a mail may take, and how long to wait between two attempts."""

from datetime import timedelta

OWN_MAIL_LIFE = timedelta(days=7)
"""How long a receipt or completion mail is tried; after that an operator decides."""
RESEND_LIFE = timedelta(days=1)
"""How long a mail is tried that an operator sends again."""
CODE_LONGEST = timedelta(seconds=30)
LONGEST = timedelta(minutes=30)
FIRST = timedelta(seconds=2)
UNKNOWN_PAUSE = timedelta(seconds=2)
"""Before a mail whose fate is unknown is sent again."""


def pause(attempts: int, chance: float, *, short_lived: bool) -> timedelta:
    """The pause after the `attempts`-th transient refusal (4xx): doubling, shortened by up to a quarter by `chance`
    (0 to 1) so that mails do not come back in step; a code that lives for minutes never waits long."""
    whole: timedelta = min(CODE_LONGEST if short_lived else LONGEST, FIRST * 2 ** min(attempts - 1, 20))
    return whole * (1 - chance / 4)
