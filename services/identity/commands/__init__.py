"""Operators' commands: what a desk needs when somebody calls; each is recorded in the security trail."""

from identity.commands.administrators import administrator
from identity.commands.keys import rotate_keys, token
from identity.commands.users import end_sessions, unlock, user

COMMANDS = {
    "token": token,
    "user": user,
    "unlock": unlock,
    "end-sessions": end_sessions,
    "rotate-keys": rotate_keys,
    "administrator": administrator,
}
