"""Every labelled point at which a process is killed: service, what has just (not) happened, and where that is."""

from typing import Any, Literal

from tests.faults.dying import Point, Test

BEFORE: Literal["before"] = "before"
AFTER: Literal["after"] = "after"
TALK = "notifier.sending.conversation:Conversation"
CONFIRM = "aiormq.channel:Channel._confirm_delivery"


def _relays_channel(channel: Any, *_: Any) -> bool:
    return "name=relay" in str(channel.connection.url)


def _multiple(_message: Any, *_: Any, multiple: bool = False) -> bool:
    """A listener's acknowledgement, not one of the access stream."""
    return multiple


def _says(word: bytes) -> Test:
    return lambda _talk, data, **_: bool(data.startswith(word))


def _heard(step: str) -> Test:
    return lambda talk: bool(talk.step == step)


def _relay(service: str) -> list[Point]:
    """What is said: from the outbox to the broker."""
    relay, outlet = "chassis.amqp.relay:Relay", "chassis.amqp.outlet:Outlet"
    return [
        Point(service, "before the outbox is written", "chassis.sql.database:_write_outbox", BEFORE),
        Point(service, "the outbox is written, not committed", "chassis.sql.database:_write_outbox", AFTER),
        Point(service, "committed, nobody was told", f"{relay}._committed", BEFORE),
        Point(service, "the lead was taken, nothing carried", f"{relay}._carry", BEFORE),
        Point(service, "numbered, not published", f"{outlet}.publish", BEFORE),
        Point(service, "before one message leaves", f"{outlet}._send", BEFORE),
        Point(service, "a confirm has arrived unseen", CONFIRM, BEFORE, _relays_channel),
        Point(service, "one message is confirmed", f"{outlet}._send", AFTER),
        Point(service, "all is confirmed, nothing forgotten", f"{outlet}.publish", AFTER),
        Point(service, "the outbox is empty again", f"{relay}._rest", BEFORE),
    ]  # fmt: skip


def _hearing(service: str) -> list[Point]:
    """What is heard one by one: from the broker into the service's own transaction."""
    hearing, message = "chassis.amqp.hearing:Hearing", "aio_pika.message:IncomingMessage"
    return [
        Point(service, "received, nothing heard", f"{hearing}.handle", BEFORE),
        Point(service, "the inbox is written", "chassis.amqp.parked:first_time", AFTER),
        Point(service, "handled, not committed", f"{hearing}._dispatch", AFTER),
        Point(service, "heard and committed", f"{hearing}._hear", AFTER),
        Point(service, "all is heard, nothing acknowledged", f"{hearing}.handle", AFTER),
        Point(service, "before the acknowledgement leaves", f"{message}.ack", BEFORE, _multiple),
        Point(service, "the acknowledgement has left", f"{message}.ack", AFTER, _multiple),
    ]


APPLICATIONS = [
    *_relay("applications"),
    *_hearing("applications"),
    Point("applications", "a number is allotted, nothing saved", "applications.store.numbers:allot", AFTER),
    Point("applications", "a draft is written", "applications.store.transitions:confirm", AFTER),
    Point("applications", "an idempotency key is taken", "applications.store.requests:claim", AFTER),
    Point("applications", "the answer is kept under its key", "applications.store.requests:keep", AFTER),
    Point("applications", "a draft is corrected", "applications.store.transitions:correct", AFTER),
    Point("applications", "the submission is written", "applications.store.transitions:submit", AFTER),
    Point("applications", "early words are woken", "applications.api.submissions:wake", AFTER),
    Point("applications", "the submission waits for accounts", "applications.api.submissions:finished", BEFORE),
    Point("applications", "before a completion is written", "applications.store.transitions:complete", BEFORE),
    Point("applications", "a completion is written", "applications.store.transitions:complete", AFTER),
    Point("applications", "an outcome is announced", "applications.store.outcomes:announce", AFTER),
    Point("applications", "a piece of a file is stored", "applications.store.documents:add_piece", AFTER),
    Point("applications", "a file is sealed", "applications.store.documents:seal", AFTER),
    Point("applications", "an early word is parked", "chassis.amqp.parked:park", AFTER),
    Point("applications", "an event is set aside", "chassis.amqp.hearing:Hearing._set_aside", AFTER),
    Point("applications", "a parked event is heard after all", "chassis.amqp.hearing:Hearing._again", AFTER),
    Point("applications", "a parked event is done", "chassis.amqp.parked:done", AFTER),
    Point("applications", "bytes are quarantined", "chassis.amqp.parked:quarantine", AFTER),
    Point("applications", "early words are matched", "applications.tasks:words_no_longer_early", AFTER),
    Point("applications", "housekeeping measures", "chassis.housekeeping:OUTBOX_AGE.set", BEFORE),
]
ACCOUNTS = [
    *_hearing("accounts"),
    Point("accounts", "a statement of NEXI's is written", "accounts.store.profiles:register", AFTER),
    Point("accounts", "a version is in force", "accounts.store.profiles:add_version", AFTER),
    Point("accounts", "a completed change is remembered", "accounts.store.profiles:add_change", AFTER),
    Point("accounts", "a day has begun, its change is claimed", "accounts.listeners.clock:apply_change", BEFORE),
    Point("accounts", "a change is marked as applied", "accounts.store.profiles:mark_applied", AFTER),
    Point("accounts", "a change of the day is applied", "accounts.listeners.clock:apply_change", AFTER),
    Point("accounts", "the accounts of a policyholder are held", "accounts.store.bank_accounts:hold", AFTER),
    Point("accounts", "an account is added", "accounts.store.bank_accounts:add", AFTER),
    Point("accounts", "a procedure is answered", "accounts.store.procedures:record_applied", AFTER),
    Point("accounts", "news of a stranger are parked", "chassis.amqp.parked:park", AFTER),
    Point("accounts", "another try has failed", "chassis.amqp.parked:failed", AFTER),
    Point("accounts", "who waited for a stranger is woken", "accounts.listeners.partner:wake", AFTER),
]
IDENTITY = [
    Point("identity", "a try is reserved", "identity.store.logins:reserved", AFTER),
    Point("identity", "a failure is counted", "identity.store.attempts:fail", AFTER),
    Point("identity", "a success is counted", "identity.store.logins:succeed", AFTER),
    Point("identity", "a session is written", "identity.api.logins:open_session", AFTER),
    Point("identity", "before an action is said", "chassis.sql.database:_write_outbox", BEFORE),
    Point("identity", "an action is said, not committed", "chassis.sql.database:_write_outbox", AFTER),
    Point("identity", "an action is committed, not answered", "chassis.amqp.relay:Relay._committed", BEFORE),
    Point("identity", "actions are numbered", "chassis.amqp.outlet:Outlet.publish", BEFORE),
    Point("identity", "actions are confirmed", "chassis.amqp.outlet:Outlet.publish", AFTER),
    Point("identity", "a one-time password is issued", "identity.store.one_time_passwords:issue", AFTER),
    Point("identity", "its mail is ordered", "identity.api.one_time_passwords:send_mail", AFTER),
    Point("identity", "its entry is counted", "identity.store.one_time_passwords:count_try", AFTER),
    Point("identity", "it is used up", "identity.store.one_time_passwords:use", AFTER),
    Point("identity", "the session is stepped up", "identity.store.sessions:step_up", AFTER),
    Point("identity", "a session is ended", "identity.store.sessions:end_by_token", AFTER),
    Point("identity", "a company is registered", "identity.store.companies:register", AFTER),
    Point("identity", "an administrator is created", "identity.store.users:create", AFTER),
    Point("identity", "a letter is ordered", "identity.listeners.nexi:send_letter", AFTER),
    Point("identity", "a name is learned from accounts", "chassis.amqp.hearing:Hearing._hear", AFTER),
    Point("identity", "old things are forgotten", "identity.store.source_limits:forget", AFTER),
]
NOTIFIER = [
    *_hearing("notifier"),
    Point("notifier", "a mail is written down", "notifier.store.mails:add", AFTER),
    Point("notifier", "mails are fetched", "notifier.store.deliveries:claim", AFTER),
    Point("notifier", "a sender has a mail", "notifier.sending.desk:Desk.take", AFTER),
    Point("notifier", "its secret is opened, its text written", "notifier.sending.senders:Sender._message", AFTER),
    Point("notifier", "the mail server is reached", "notifier.sending.relay:Relay._connect", AFTER),
    Point("notifier", "before MAIL", f"{TALK}._write", BEFORE, _says(b"MAIL")),
    Point("notifier", "after MAIL", f"{TALK}._reply", AFTER, _heard("MAIL")),
    Point("notifier", "RCPT is said, not answered", f"{TALK}._reply", BEFORE, _heard("RCPT")),
    Point("notifier", "after RCPT", f"{TALK}._reply", AFTER, _heard("RCPT")),
    Point("notifier", "it is still wanted", "notifier.sending.senders:Sender._last_word", AFTER),
    Point("notifier", "DATA is said, not answered", f"{TALK}._reply", BEFORE, _heard("DATA")),
    Point("notifier", "after DATA", f"{TALK}._reply", AFTER, _heard("DATA")),
    Point("notifier", "before the text", f"{TALK}.send", BEFORE),
    Point("notifier", "the text was taken", f"{TALK}.send", AFTER),
    Point("notifier", "how it ended is handed in", "notifier.sending.desk:Desk.hand_in", BEFORE),
    Point("notifier", "before ends are written down", "notifier.sending.desk:record", BEFORE),
    Point("notifier", "ends are written down, not committed", "notifier.sending.desk:record", AFTER),
    Point("notifier", "ends are committed", "notifier.sending.desk:Desk._record", AFTER),
    Point("notifier", "a dead sender's mails are taken over", "notifier.store.deliveries:recover", AFTER),
    Point("notifier", "lapsed mails are ended", "notifier.store.deliveries:lapse", AFTER),
    Point("notifier", "a letter's sheet is in the spool", "notifier.letters.spool:Spool.put", AFTER),
    Point("notifier", "a letter is written down", "notifier.store.letters:add", AFTER),
    Point("notifier", "an address is learned", "notifier.store.addresses:learn", AFTER),
    Point("notifier", "old secrets are forgotten", "notifier.store.mails:forget_secrets", AFTER),
    Point("notifier", "sealing keys are renewed", "notifier.keys:KeyRing.renew", AFTER),
]
AUDIT = [
    Point("audit", "a batch is received", "chassis.amqp.hearing:Hearing.handle", BEFORE),
    Point("audit", "the month is there", "audit.months:Months.ensure", AFTER),
    Point("audit", "before rows are recorded", "audit.store.log:record", BEFORE),
    Point("audit", "rows are copied, not chained", "audit.rules.chain:head", BEFORE),
    Point("audit", "rows are recorded, not committed", "audit.store.log:record", AFTER),
    Point("audit", "numbers are remembered, not committed", "audit.store.sequences:heard", AFTER),
    Point("audit", "a batch is committed", "chassis.amqp.hearing:Hearing._hear_batch", AFTER),
    Point("audit", "all batches are committed", "chassis.amqp.hearing:Hearing.handle", AFTER),
    Point("audit", "before the acknowledgement leaves", "aio_pika.message:IncomingMessage.ack", BEFORE, _multiple),
    Point("audit", "the acknowledgement has left", "aio_pika.message:IncomingMessage.ack", AFTER, _multiple),
    Point("audit", "bytes are quarantined", "chassis.amqp.parked:quarantine", AFTER),
    Point("audit", "a report's key is taken", "audit.store.searches:report", AFTER),
    Point("audit", "a search is kept", "audit.store.searches:keep", AFTER),
    Point("audit", "an export is recorded, nothing sent", "audit.api.downloads:_remember", AFTER),
    Point("audit", "before lines are copied out", "audit.store.downloads:copy", BEFORE),
    Point("audit", "lines are copied out", "audit.store.downloads:copy", AFTER),
    Point("audit", "the manifest is kept", "audit.store.searches:keep_manifest", AFTER),
    Point("audit", "a checkpoint is in the file only", "audit.listeners.checkpoints:append", AFTER),
    Point("audit", "a checkpoint is in both places", "audit.store.checkpoints:keep", AFTER),
    Point("audit", "holes are looked for", "audit.store.sequences:look", AFTER),
]
POINTS = [*APPLICATIONS, *ACCOUNTS, *IDENTITY, *NOTIFIER, *AUDIT]
VICTIM = [
    Point("victim", "received, nothing heard", "chassis.amqp.hearing:Hearing.handle", BEFORE),
    Point("victim", "heard and committed", "chassis.amqp.hearing:Hearing._hear", AFTER),
]

FIRST_ONLY = {
    "the lead was taken, nothing carried", "early words are matched", "housekeeping measures",
    "old things are forgotten", "old secrets are forgotten", "sealing keys are renewed", "holes are looked for",
    "a dead sender's mails are taken over",
}  # fmt: skip
"""Visited once at the start, or rarely: death comes at the first visit."""

AFTERWARDS = {"a dead sender's mails are taken over": "the text was taken"}
"""Only a process that follows such a death comes to this point."""
