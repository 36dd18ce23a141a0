"""How a connection to the mail relay is protected, and what went wrong with it, in words for an operator."""

import ssl

import aiosmtplib

from notifier.rules.replies import quoted
from notifier.settings import Security, Settings


def client_for(settings: Settings) -> aiosmtplib.SMTP:
    """A client that is protected as the settings say, or does not connect: never merely `if the relay offers it`."""
    context = None
    if settings.smtp_security is not Security.NONE:
        context = ssl.create_default_context(cafile=settings.smtp_ca)
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_username,
        password=password,
        local_hostname=settings.sender.rpartition("@")[2],
        timeout=settings.smtp_seconds,
        use_tls=settings.smtp_security is Security.TLS,
        start_tls=settings.smtp_security is Security.STARTTLS,
        tls_context=context,
    )


def why(error: Exception) -> str:
    """What went wrong in a few words; replies of the relay are quoted, everything else is named by its kind."""
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return quoted("reply", error.code, error.message)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return f"certificate: {error.__cause__.verify_message}"
    return type(error).__name__
