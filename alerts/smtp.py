"""Hands an e-mail to a mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import Final

from alerts.addresses import allowed_addresses
from contract.alerts.channels import EmailChannel
from contract.errors import ChannelError

TIMEOUT_S: Final = 10.0


def send(channel: EmailChannel, message: EmailMessage) -> str:
    """Send `message` and return the server's answer in plain words.

    Raises:
        ChannelError: the server accepted the message for no recipient; says why.
    """
    allowed_addresses(channel.host, channel.port)
    try:
        with _session(channel) as session:
            if channel.user:
                session.login(channel.user, channel.password)
            refused = session.send_message(message)
    except smtplib.SMTPException as error:
        raise ChannelError(_words(error)) from None
    except ssl.SSLCertVerificationError as error:
        raise ChannelError(
            f"the server's certificate is not trusted: {error.verify_message}"
        ) from None
    except ssl.SSLError:
        raise ChannelError(
            "the server does not speak TLS on this port; try another setting"
        ) from None
    except ConnectionRefusedError:
        raise ChannelError("no server listens there: connection refused") from None
    except TimeoutError:
        raise ChannelError(f"no answer within {TIMEOUT_S:g} s") from None
    except OSError as error:
        raise ChannelError(f"the connection failed: {error.strerror or 'closed'}") from None
    taken = len(channel.to) - len(refused)
    if refused:
        return f"Accepted for {taken} of {len(channel.to)}; refused: {', '.join(sorted(refused))}."
    return f"Accepted by the mail server for {', '.join(channel.to)}."


def _session(channel: EmailChannel) -> smtplib.SMTP:
    if channel.security == "tls":
        return smtplib.SMTP_SSL(
            channel.host, channel.port, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
    session = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT_S)
    if channel.security == "starttls":
        try:
            session.starttls(context=ssl.create_default_context())
        except Exception:
            session.close()
            raise
    return session


def _words(error: smtplib.SMTPException) -> str:
    """Name the reason from the error's type and code alone: a server's text may repeat secrets."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the server refuses the user or the password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server does not offer STARTTLS or sign-in with a password, as the settings need"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return f"the server refuses every recipient: {', '.join(sorted(error.recipients))}"
    if isinstance(error, smtplib.SMTPSenderRefused):
        return f"the server refuses the sender {error.sender} ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server closed the connection, or did not answer in time"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code}"
    return "the server does not accept the message"
