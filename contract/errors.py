"""Every error that a user may see, in one small tree.

Each message says what was expected, what was found, and what to do. No message contains a camera
password: show addresses with `contract.redaction.redact_url`.
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
    """A network's file does not exist at the expected path."""


class ModelChecksumError(ModelError, ValueError):
    """A network's file differs from the published one: its sha256 does not match."""


class ModelFormatError(ModelError, ValueError):
    """A network's file is readable, but not a network of the expected kind."""


class ModelDeviceError(ModelError, SettingsError):
    """A network cannot run on the requested device."""


class DataError(MaskwatchError, ValueError):
    """A set of labelled photographs for training or evaluation cannot be used."""


class CheckpointError(MaskwatchError, ValueError):
    """A training run's saved state is damaged, or belongs to another run."""


class RedisUnavailableError(MaskwatchError, ConnectionError):
    """Redis cannot be reached, is restarting, is full, or refuses Maskwatch's user."""


class RedisTooOldError(RedisUnavailableError):
    """The server behind the URL is older than 6.2 and lacks what Maskwatch needs."""


class RedisClusterError(RedisUnavailableError):
    """The server behind the URL is part of a Redis Cluster."""


class WireVersionError(RedisUnavailableError):
    """Newer Maskwatch processes use this Redis; this process cannot read their records."""


class MessageError(MaskwatchError, ValueError):
    """An entry in Redis is not a message that this version of Maskwatch can read."""


class LeaseLostError(MaskwatchError):
    """Another process owns the camera now; Redis refused the write."""


class NotNewerError(MaskwatchError):
    """The frame is not newer than the last committed one; Redis refused the commit."""


class CameraConfigError(MaskwatchError, ValueError):
    """A camera's settings cannot be used."""


class CameraFieldsError(CameraConfigError):
    """Some fields of a camera cannot be used; `problems` lists each field and its fault."""

    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__("; ".join(f"{field}: {words}" for field, words in problems))
        self.problems = problems


class CameraFileError(MaskwatchError, ValueError):
    """A file is not a valid file of cameras; the message names the faulty line, if there is one."""


class BackupError(MaskwatchError, ValueError):
    """A file is not a backup, is damaged, or comes from a newer version."""


class CameraChangedError(MaskwatchError):
    """Somebody else changed the camera since it was read; nothing was written."""


class CamerasChangedError(MaskwatchError):
    """Somebody else changed the cameras since they were read; nothing was written."""


class CameraNameTakenError(CameraConfigError):
    """Another camera has that name already."""


class CameraNotFoundError(MaskwatchError, LookupError):
    """No camera with that id is registered."""


class QueryError(MaskwatchError, ValueError):
    """The query of the history has invalid parameters."""


class HistoryNotSummedError(MaskwatchError):
    """Too much of the history has no sums yet; each further request adds up more of it."""


class FellBehindError(MaskwatchError):
    """A follower of events read too slowly and missed some: the server no longer has them."""


class SecretKeyError(MaskwatchError, ValueError):
    """The key that encrypts passwords is missing, unreadable, or another than when encrypting."""


class AccountError(MaskwatchError, ValueError):
    """An account or an API key cannot be created or changed with these values."""


class TooManyAttemptsError(MaskwatchError):
    """Too many wrong passwords; `wait_s`: seconds until the next attempt is allowed."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        minutes = math.ceil(wait_s / 60)
        super().__init__(f"Too many attempts. Try again in {minutes} minute{'s' * (minutes != 1)}.")


class BusyError(MaskwatchError):
    """The server is too busy to start this; try again in a moment."""


class AlertError(MaskwatchError, ValueError):
    """An alert rule or a channel cannot be created or changed with these values."""


class ChannelError(MaskwatchError):
    """A receiver did not accept a message. The text is for users and contains no secret."""


class UploadError(MaskwatchError, ValueError):
    """An uploaded file cannot be used. `kind` is stable; the message is for users."""

    kind = "not_usable"


class UploadEmptyError(UploadError):
    """The file has no content, or there is no file."""

    kind = "empty"


class UploadTooLargeError(UploadError):
    """The file has too many bytes or pixels, or there are too many files."""

    kind = "too_large"


class UploadTypeError(UploadError):
    """By its content, the file has a type that Maskwatch does not accept."""

    kind = "wrong_type"


class UploadDamagedError(UploadError):
    """The file starts like an accepted type, but its content is damaged."""

    kind = "damaged"


class SourceError(MaskwatchError):
    """A camera gives no picture. `kind` is stable; the message is for users.

    Text from a camera or its address reaches users through this class only, so the class shortens
    it and removes control characters.
    """

    kind = "error"

    def __init__(self, words: str = "") -> None:
        super().__init__(plain_words(words))


class SourceLockedError(SourceError):
    """The address is encrypted, and this process lacks the key to decrypt it."""

    kind = "secret_key"


class SourceForbiddenError(SourceError, PermissionError):
    """This system's settings forbid connecting to the address or playing the file."""

    kind = "forbidden"


class SourceRefusedError(SourceError, ConnectionRefusedError):
    """The host answers, but no service listens on that port."""

    kind = "refused"


class SourceHostNotFoundError(SourceError):
    """The host's name is unknown, or there is no route to it."""

    kind = "host_not_found"


class SourceAuthenticationError(SourceError, PermissionError):
    """The camera refuses the user name or the password."""

    kind = "authentication"


class SourceNotFoundError(SourceError, FileNotFoundError):
    """The host answers, but has no such stream; or the file or device does not exist."""

    kind = "not_found"


class SourceTimeoutError(SourceError, TimeoutError):
    """The camera accepted the connection and then sent nothing."""

    kind = "timeout"


class SourceHungUpError(SourceError, ConnectionResetError):
    """The camera accepted the connection and closed it without answering."""

    kind = "hung_up"


class SourceRejectedError(SourceError):
    """The camera answers with a 4xx error, such as an unknown session or too many viewers."""

    kind = "rejected"


class SourceServerError(SourceError):
    """The camera answers with an internal error (5xx)."""

    kind = "server_error"


class SourceRedirectError(SourceError):
    """The camera redirects again and again, or to an address that is not a stream."""

    kind = "redirect"


class SourceKeyFrameError(SourceError):
    """The camera sends pictures but no key frame, so decoding cannot start."""

    kind = "no_key_frame"


class SourceUndecodableError(SourceError):
    """The video can no longer be decoded: it is damaged, or its codec changed."""

    kind = "undecodable"


class SourceCodecError(SourceError):
    """The stream uses a codec that Maskwatch cannot decode."""

    kind = "unsupported_codec"


class SourceTooLargeError(SourceError, MemoryError):
    """Decoding the stream takes more memory than a reader may use."""

    kind = "too_large"


class SourceNoVideoError(SourceError):
    """The address has no video: it is a web page, an audio stream or a broken file."""

    kind = "no_video"


class SourceEndedError(SourceError, EOFError):
    """The stream ended: the camera closed it, or the file reached its end."""

    kind = "ended"
