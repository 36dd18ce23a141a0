"""What early events wait for, by name."""

from chassis.amqp import Park

SEALING = "sealing keys"


def no_sealing_key() -> Park:
    """Parked until the notifier has published its keys."""
    return Park("no key of the notifier is known yet", retry=True, key=SEALING)


def company(policyholder_code: str) -> str:
    """The registration of this policyholder."""
    return f"policyholder {policyholder_code}"


def user(user_id: str) -> str:
    """The provisioning of this user."""
    return f"user {user_id}"
