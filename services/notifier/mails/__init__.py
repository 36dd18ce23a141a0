"""The mails: what each is made from, how urgent it is, and its words in each language."""

from notifier.mails.catalogue import CATALOGUE, Broken, Mail, render
from notifier.mails.japanese import Text
from notifier.mails.names import OwnTemplate

__all__ = ["CATALOGUE", "Broken", "Mail", "OwnTemplate", "Text", "render"]
