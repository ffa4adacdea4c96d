"""Files in object stores: s3://, gs://, az:// and what else PyArrow has a file system for.

Credentials are those of the environment, as the tools of each store take them; none is ever part of
an address or of what is told. What is read is read as of a local file: in pieces, and of Parquet
the columns that are known.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from gonogo.errors import Diagnostic, InputError, UsageError
from gonogo.privacy import clean_label, scrubbed

SCHEMES: Final = ("s3", "gs", "az", "abfs", "abfss", "hdfs")
_CREDENTIALS: Final = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; for a public bucket "
    "AWS_SKIP_SIGNATURE=true",
    "gs": "set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    "az": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or run az login",
}
_ENDPOINT: Final = {
    "s3": "check the network, AWS_REGION, and AWS_ENDPOINT_URL if the store is not Amazon's"
}
_TRIES: Final = 3
_SECONDS: Final = 10.0


def is_remote(argument: str) -> bool:
    """Whether it names something in an object store."""
    return argument.partition("://")[0] in SCHEMES and "://" in argument


@dataclass(frozen=True, slots=True)
class Facts:
    """What a store says of a file, under the names of `os.stat_result`."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, slots=True)
class RemotePath:
    """A file in a store, as far as reading one needs a path; equal where the address is."""

    url: str

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def resolve(self) -> RemotePath:
        """Itself: an address is the same everywhere."""
        return self

    def open(self, mode: str = "rb") -> Any:
        """To be read from any place in it.

        Raises:
            InputError: the store does not answer, or refuses.
        """
        with _told(self.url):
            store, key = _store(self.url)
            return store.open_input_file(key)

    def stat(self) -> Facts:
        """Size and time of the last change.

        Raises:
            FileNotFoundError: it is not there.
            InputError: the store does not answer, or refuses.
        """
        with _told(self.url):
            store, key = _store(self.url)
            info = store.get_file_info(key)
        if not info.is_file:
            raise FileNotFoundError(self.url)
        return Facts(info.size, info.mtime_ns or 0)

    def exists(self) -> bool:
        """Whether it is there."""
        try:
            self.stat()
        except FileNotFoundError:
            return False
        return True


def expand(argument: str, is_log: Callable[[Sequence[str]], bool]) -> list[RemotePath]:
    """The files that an address names: one, all below a folder, or those that match a glob.

    `is_log` says of the path below a folder whether it is meant.

    Raises:
        InputError: the store does not answer, or refuses, or has no such bucket.
    """
    from pyarrow.fs import FileSelector

    scheme = argument.partition("://")[0]
    with _told(argument):
        store, key = _store(argument)
        if any(c in key for c in "*?["):
            fixed = key[: min(key.find(c) for c in "*?[" if c in key)].rpartition("/")[0]
            selector = FileSelector(fixed, allow_not_found=True, recursive=True)
            found = [i.path for i in store.get_file_info(selector) if i.is_file]
            found = [path for path in found if _matches(path, key)]
        elif (info := store.get_file_info(key)).is_file:
            found = [info.path]
        else:
            selector = FileSelector(key.rstrip("/"), allow_not_found=False, recursive=True)
            below = [i.path for i in store.get_file_info(selector) if i.is_file]
            start = len(key.rstrip("/")) + 1
            found = [path for path in below if is_log(path[start:].split("/"))]
    return [RemotePath(f"{scheme}://{path}") for path in sorted(found)]


def _matches(path: str, pattern: str) -> bool:
    """A star stands for anything but a slash, two for folders too."""
    parts, wanted = path.split("/"), pattern.split("/")
    if "**" in wanted:
        at = wanted.index("**")
        tail = wanted[at + 1 :]
        return (
            len(parts) >= at + len(tail)
            and all(map(fnmatchcase, parts[:at], wanted[:at]))
            and all(map(fnmatchcase, parts[len(parts) - len(tail) :], tail))
        )
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _store(url: str) -> tuple[Any, str]:
    """(file system, path in it)."""
    parts = urlsplit(url)
    if "@" in parts.netloc and parts.scheme in {"s3", "gs", "az"}:
        hint = _CREDENTIALS[parts.scheme]
        what = "credentials do not belong into an address"
        raise UsageError([Diagnostic("U058", parts.scheme, what, hint)])
    key = url.partition("://")[2]
    if parts.scheme in {"abfs", "abfss", "hdfs"}:
        from pyarrow.fs import FileSystem

        store, key = FileSystem.from_uri(url)
        return store, key
    return _file_system(parts.scheme, parts.netloc), key


@cache
def _file_system(scheme: str, bucket: str) -> Any:
    from pyarrow import fs

    env = os.environ
    if scheme == "gs":
        return fs.GcsFileSystem()
    if scheme == "az":
        account = env.get("AZURE_STORAGE_ACCOUNT_NAME") or env.get("AZURE_STORAGE_ACCOUNT")
        if not account:
            raise OSError("no credentials: the storage account is not named")
        return fs.AzureFileSystem(account, account_key=env.get("AZURE_STORAGE_ACCOUNT_KEY"))
    endpoint = env.get("AWS_ENDPOINT_URL_S3") or env.get("AWS_ENDPOINT_URL")
    region = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    if not region and not endpoint:
        region = fs.resolve_s3_region(bucket)
    return fs.S3FileSystem(
        anonymous=env.get("AWS_SKIP_SIGNATURE", "").lower() in {"1", "true"},
        region=region,
        endpoint_override=endpoint,
        connect_timeout=_SECONDS,
        request_timeout=6 * _SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_TRIES),
    )


@contextmanager
def _told(url: str) -> Iterator[None]:
    """What a store answers, as a message that says what to try."""
    try:
        yield
    except OSError as error:
        raise InputError([refusal(url, error)]) from None


def refusal(url: str, error: OSError) -> Diagnostic:
    """Why a file of a store cannot be had."""
    text = " ".join(str(error).split())
    low, scheme = text.lower(), url.partition("://")[0]
    bucket = urlsplit(url).netloc
    if any(m in low for m in ("no_such_bucket", "nosuchbucket", "bucket does not exist")) or (
        "bucket" in low and "not found" in low
    ):
        hint = "check its name, and the account and region that it is in"
        return Diagnostic("I050", url, f"there is no bucket {bucket}", hint)
    if any(m in low for m in ("credential", "access_denied", "accessdenied", "invalid_access_key",
                              "invalidaccesskey", "signature", "forbidden", "http status 403",
                              "unauthenticated", "permission")):  # fmt: skip
        hint = _CREDENTIALS.get(scheme, "look into the settings of the store")
        return Diagnostic("I051", url, "the store refuses: no credentials, or not for this", hint)
    if isinstance(error, FileNotFoundError) or "path does not exist" in low:
        return Diagnostic("I001", url, "no such file or folder", "check the address")
    if any(m in low for m in ("network_connection", "connect", "resolve host", "timeout")):
        hint = _ENDPOINT.get(scheme, "check the network")
        return Diagnostic("I052", url, "the store does not answer", hint)
    return Diagnostic("I053", url, f"the store says: {clean_label(scrubbed('', text), 200)}", "")
