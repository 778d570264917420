"""Every error a person may meet, in one small tree.

Each message says what was expected, what was found, and what to do about it. No message
carries a camera password: build them from `contract.redaction.redact_url`.
"""

from __future__ import annotations

import math

from contract.plain_text import plain_words


class MaskwatchError(Exception):
    """Base of every error that Maskwatch raises on purpose."""


class SettingsError(MaskwatchError, ValueError):
    """A `MASKWATCH_*` setting is unknown or has a value that cannot be used."""


class ModelError(MaskwatchError):
    """A network's file cannot be used."""


class ModelNotFoundError(ModelError, FileNotFoundError):
    """A network's file is not where it was looked for."""


class ModelChecksumError(ModelError, ValueError):
    """A network's file is not the one that was published: its sha256 differs."""


class ModelFormatError(ModelError, ValueError):
    """A network's file is readable, but not a network of the expected kind."""


class ModelDeviceError(ModelError, SettingsError):
    """A network does not run on the device that was asked for."""


class DataError(MaskwatchError, ValueError):
    """A set of labelled photographs, to train on or to evaluate with, cannot be used."""


class CheckpointError(MaskwatchError, ValueError):
    """A training run's saved state is damaged, or belongs to another run."""


class RedisUnavailableError(MaskwatchError, ConnectionError):
    """Redis cannot be reached, is restarting, is full, or refuses us."""


class RedisTooOldError(RedisUnavailableError):
    """The server behind the URL is older than 6.2 and lacks what Maskwatch needs."""


class RedisClusterError(RedisUnavailableError):
    """The server behind the URL is part of a Redis Cluster."""


class WireVersionError(RedisUnavailableError):
    """Newer processes use this Redis; this one could not read what they write."""


class MessageError(MaskwatchError, ValueError):
    """An entry in Redis is not a message that this version of Maskwatch can read."""


class LeaseLostError(MaskwatchError):
    """Another process owns the camera now; what was being written was refused."""


class NotNewerError(MaskwatchError):
    """The frame was committed before; committing it again was refused."""


class CameraConfigError(MaskwatchError, ValueError):
    """A camera's settings cannot be used."""


class CameraFieldsError(CameraConfigError):
    """Some fields of a camera cannot be used; `problems` has each with what is wrong with it."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{field}: {words}" for field, words in problems))
        self.problems = problems


class CameraFileError(MaskwatchError, ValueError):
    """A file of cameras cannot be read as one; where it is a line's fault, the line is named."""


class BackupError(MaskwatchError, ValueError):
    """A file is no backup, is damaged, or was made by a newer version."""


class CameraChangedError(MaskwatchError):
    """Somebody else changed the camera since it was read; nothing was written."""


class CamerasChangedError(MaskwatchError):
    """Somebody else changed the cameras meanwhile; nothing was written."""


class CameraNameTakenError(CameraConfigError):
    """Another camera has that name already."""


class CameraNotFoundError(MaskwatchError, LookupError):
    """No camera is registered under that id."""


class QueryError(MaskwatchError, ValueError):
    """What was asked of the history cannot be answered as it was asked."""


class FellBehindError(MaskwatchError):
    """Whoever followed events took them too slowly; those in between are not kept here."""


class SecretKeyError(MaskwatchError, ValueError):
    """The key that encrypts passwords is missing, unreadable, or not the one that was used."""


class AccountError(MaskwatchError, ValueError):
    """An account or an API key cannot be made or changed like that."""


class TooManyAttemptsError(MaskwatchError):
    """Passwords were guessed too often; `wait_s`: seconds until another attempt is heard."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        minutes = math.ceil(wait_s / 60)
        super().__init__(f"Too many attempts. Try again in {minutes} minute{'s' * (minutes != 1)}.")


class BusyError(MaskwatchError):
    """So much is under way that this was not begun; the same a moment later may be."""


class AlertError(MaskwatchError, ValueError):
    """An alert rule or a channel cannot be made or changed like that."""


class ChannelError(MaskwatchError):
    """A message was not taken. The text is for people and names no secret."""


class UploadError(MaskwatchError, ValueError):
    """An uploaded file cannot be used. `kind` is stable; the message is for people."""

    kind = "not_usable"


class UploadEmptyError(UploadError):
    """The file has no content, or there is no file."""

    kind = "empty"


class UploadTooLargeError(UploadError):
    """The file has more bytes or pixels, or there are more files, than are taken."""

    kind = "too_large"


class UploadTypeError(UploadError):
    """The file is, by its content, none of the kinds that are taken."""

    kind = "wrong_type"


class UploadDamagedError(UploadError):
    """The file begins like one of the kinds that are taken, and does not go on like it."""

    kind = "damaged"


class SourceError(MaskwatchError):
    """A camera's picture cannot be had. `kind` is stable; the message is for people.

    All that a camera or its address can say to people comes this way: here it is cut and made
    plain.
    """

    kind = "error"

    def __init__(self, words: str = "") -> None:
        super().__init__(plain_words(words))


class SourceLockedError(SourceError):
    """The address is encrypted, and this process has no key that opens it."""

    kind = "secret_key"


class SourceForbiddenError(SourceError, PermissionError):
    """The address may not be connected to, or the file not be played, by this system's settings."""

    kind = "forbidden"


class SourceRefusedError(SourceError, ConnectionRefusedError):
    """The host is there, but nothing listens on that port."""

    kind = "refused"


class SourceHostNotFoundError(SourceError):
    """The host's name is unknown, or there is no route to it."""

    kind = "host_not_found"


class SourceAuthenticationError(SourceError, PermissionError):
    """The camera wants another user name or password."""

    kind = "authentication"


class SourceNotFoundError(SourceError, FileNotFoundError):
    """The host answers, but has no such stream; or the file or device does not exist."""

    kind = "not_found"


class SourceTimeoutError(SourceError, TimeoutError):
    """The camera accepted the connection and then went quiet."""

    kind = "timeout"


class SourceHungUpError(SourceError, ConnectionResetError):
    """The camera took the connection and closed it instead of answering."""

    kind = "hung_up"


class SourceRejectedError(SourceError):
    """The camera answers with an error of the 4xx kind: no such session, too many viewers."""

    kind = "rejected"


class SourceServerError(SourceError):
    """The camera answers with an error of its own, of the 5xx kind."""

    kind = "server_error"


class SourceRedirectError(SourceError):
    """The camera sends its viewers on and on, and nowhere to a stream."""

    kind = "redirect"


class SourceKeyFrameError(SourceError):
    """Pictures come, but none that decoding can begin at."""

    kind = "no_key_frame"


class SourceUndecodableError(SourceError):
    """Video that could be decoded before, or should be, no longer can: broken, or another codec."""

    kind = "undecodable"


class SourceCodecError(SourceError):
    """The stream uses a codec that cannot be decoded here."""

    kind = "unsupported_codec"


class SourceTooLargeError(SourceError, MemoryError):
    """Decoding what comes takes more memory than a reader may have."""

    kind = "too_large"


class SourceNoVideoError(SourceError):
    """What answered is no video: a web page, an audio stream, a broken file."""

    kind = "no_video"


class SourceEndedError(SourceError, EOFError):
    """The stream ended: the camera closed it, or the file is over."""

    kind = "ended"
