"""Which failures are of which class: the built-in rules, tried after those of the user. Pure.

Within a class the rules go from what says it clearly (a code, a status) to what only hints at it (a message). The order
matters where a failure is of two sorts: what took too long over the network is a timeout.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from segue.model.failure_class import FailureClass, FailureRule, RaisedError, classify


def class_of_failure(chain: Sequence[RaisedError], rules: Sequence[FailureRule] = ()) -> FailureClass:
    """The class of a failure.

    Args:
        chain: the exception, then what it was raised from, and so on back.
        rules: those of the user; where one of them fits anything in the chain, the built-in ones are not asked.
    """
    return classify(chain, rules) or classify(chain, BUILT_IN_RULES) or FailureClass.USER_CODE


def _named(failure_class: FailureClass, names: str) -> Iterable[FailureRule]:
    return [FailureRule(failure_class=failure_class, exception=name) for name in names.split()]


BUILT_IN_RULES: tuple[FailureRule, ...] = (
    # ---- memory
    *_named(
        FailureClass.OUT_OF_MEMORY,
        "builtins.MemoryError torch.OutOfMemoryError torch.cuda.OutOfMemoryError OutOfMemoryException",
    ),
    FailureRule(failure_class=FailureClass.OUT_OF_MEMORY, code="ENOMEM|53200|SQLITE_NOMEM"),
    FailureRule(failure_class=FailureClass.OUT_OF_MEMORY, message=r"\bout of memory\b|OutOfMemoryError|OOMKilled"),
    # ---- the end of a process
    FailureRule(failure_class=FailureClass.KILLED, exception="builtins.KeyboardInterrupt"),
    FailureRule(failure_class=FailureClass.KILLED, code="SIGKILL|SIGTERM|SIGINT|SIGHUP|SIGSEGV|SIGABRT|SIGBUS"),
    *_named(FailureClass.KILLED, "concurrent.futures.process.BrokenProcessPool"),
    # ---- what Segue and the machine stand on
    *_named(FailureClass.PLATFORM, "segue.errors.StorageError segue.errors.LoadError"),
    FailureRule(
        failure_class=FailureClass.PLATFORM,
        code="ENOSPC|EDQUOT|EROFS|EIO|EMFILE|ENFILE|EAGAIN|SQLITE_FULL|SQLITE_IOERR.*|SQLITE_READONLY.*|53100",
    ),
    FailureRule(failure_class=FailureClass.PLATFORM, message=r"can't start new thread|no space left on device"),
    # ---- too often; a resource that is out of order is busy as well
    *_named(FailureClass.NETWORK, "segue.errors.CircuitOpenError"),
    *_named(FailureClass.RATE_LIMIT, "segue.errors.ResourceBusyError"),
    FailureRule(failure_class=FailureClass.RATE_LIMIT, status=429),
    FailureRule(
        failure_class=FailureClass.RATE_LIMIT,
        code=r"Throttl(ing|ed)(Exception)?|RequestThrottled(Exception)?|TooManyRequests(Exception)?|SlowDown|"
        r"RequestLimitExceeded|ProvisionedThroughputExceeded(Exception)?|BandwidthLimitExceeded|LimitExceededException|"
        r"RESOURCE_EXHAUSTED|rate_limit.*|insufficient_quota",
    ),
    *_named(FailureClass.RATE_LIMIT, "RateLimitError TooManyRequests TooManyRequestsError RateLimitExceeded"),
    FailureRule(failure_class=FailureClass.RATE_LIMIT, exception="ResourceExhausted"),
    # ---- not known, not allowed
    FailureRule(failure_class=FailureClass.CREDENTIALS, status=401),
    FailureRule(failure_class=FailureClass.CREDENTIALS, status=403),
    FailureRule(failure_class=FailureClass.CREDENTIALS, status=407),
    FailureRule(
        failure_class=FailureClass.CREDENTIALS,
        code=r"28...|42501|ER_ACCESS_DENIED_ERROR|1045|ExpiredToken(Exception)?|InvalidAccessKeyId|AccessDenied(Exception)?|"
        r"InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|UnauthorizedOperation|AuthFailure|"
        r"UNAUTHENTICATED|PERMISSION_DENIED|invalid_api_key|invalid_grant|AuthorizationPermissionMismatch",
    ),
    *_named(
        FailureClass.CREDENTIALS,
        "botocore.exceptions.NoCredentialsError botocore.exceptions.PartialCredentialsError "
        "botocore.exceptions.CredentialRetrievalError botocore.exceptions.TokenRetrievalError "
        "botocore.exceptions.SSOError google.auth.exceptions.RefreshError google.auth.exceptions.DefaultCredentialsError "
        "azure.core.exceptions.ClientAuthenticationError azure.identity.CredentialUnavailableError "
        "smtplib.SMTPAuthenticationError paramiko.ssh_exception.AuthenticationException "
        "redis.exceptions.AuthenticationError jwt.exceptions.ExpiredSignatureError jwt.exceptions.InvalidTokenError "
        "oauthlib.oauth2.rfc6749.errors.TokenExpiredError AuthenticationError PermissionDeniedError",
    ),
    FailureRule(
        failure_class=FailureClass.CREDENTIALS,
        message=r"password authentication failed|no password supplied|incorrect username or password|invalid api key|"
        r"(token|credentials?|session) (has |have |is |are )?expired|expired (token|credentials?)|authentication failed",
    ),
    # ---- too slow; before the network, since what is slow is often an error of the network too
    FailureRule(failure_class=FailureClass.TIMEOUT, status=408),
    FailureRule(failure_class=FailureClass.TIMEOUT, status=504),
    FailureRule(
        failure_class=FailureClass.TIMEOUT,
        code="ETIMEDOUT|57014|55P03|SQLITE_BUSY.*|SQLITE_LOCKED.*|DEADLINE_EXCEEDED|RequestTimeout(Exception)?",
    ),
    *_named(
        FailureClass.TIMEOUT,
        "builtins.TimeoutError requests.exceptions.Timeout httpx.TimeoutException urllib3.exceptions.TimeoutError "
        "aiohttp.client_exceptions.ServerTimeoutError subprocess.TimeoutExpired multiprocessing.context.TimeoutError "
        "botocore.exceptions.ReadTimeoutError botocore.exceptions.ConnectTimeoutError redis.exceptions.TimeoutError "
        "google.api_core.exceptions.DeadlineExceeded google.api_core.exceptions.RetryError "
        "pymongo.errors.ServerSelectionTimeoutError pymongo.errors.NetworkTimeout psycopg_pool.PoolTimeout",
    ),
    FailureRule(failure_class=FailureClass.TIMEOUT, exception="builtins.OSError", message=r"timed out"),
    FailureRule(failure_class=FailureClass.TIMEOUT, exception="OperationalError", message=r"timed out|timeout expired"),
    FailureRule(failure_class=FailureClass.TIMEOUT, exception="sqlite3.OperationalError", message=r"is locked"),
    # ---- not as declared
    *_named(
        FailureClass.VALIDATION,
        "pydantic_core._pydantic_core.ValidationError pydantic.error_wrappers.ValidationError "
        "pydantic.v1.error_wrappers.ValidationError pandera.errors.SchemaError pandera.errors.SchemaErrors "
        "marshmallow.exceptions.ValidationError jsonschema.exceptions.ValidationError msgspec.ValidationError "
        "cerberus.validator.DocumentError voluptuous.error.Invalid sqlite3.IntegrityError "
        "segue.errors.TypeCheckDidNotPass segue.errors.InvalidConfigError segue.errors.AssetCheckFailedError",
    ),
    FailureRule(failure_class=FailureClass.VALIDATION, code="22...|23..."),
    FailureRule(failure_class=FailureClass.VALIDATION, status=422),
    # ---- not there, not readable; a step that gives nothing is the mistake of its own code, whoever looks for it later
    FailureRule(
        failure_class=FailureClass.USER_CODE,
        exception="segue.errors.StepOutputNotFoundError",
        message="did not yield the output",
    ),
    *_named(
        FailureClass.UPSTREAM_DATA,
        "builtins.FileNotFoundError builtins.UnicodeDecodeError builtins.EOFError json.decoder.JSONDecodeError "
        "tomllib.TOMLDecodeError yaml.error.YAMLError _csv.Error xml.etree.ElementTree.ParseError zipfile.BadZipFile "
        "gzip.BadGzipFile zlib.error _lzma.LZMAError tarfile.ReadError pickle.UnpicklingError _pickle.UnpicklingError "
        "pandas.errors.EmptyDataError pandas.errors.ParserError pandas._libs.parsers.ParserError "
        "pyarrow.lib.ArrowInvalid polars.exceptions.NoDataError polars.exceptions.SchemaError sqlite3.DataError "
        "msgspec.DecodeError",
    ),
    FailureRule(failure_class=FailureClass.UPSTREAM_DATA, status=404),
    FailureRule(failure_class=FailureClass.UPSTREAM_DATA, status=410),
    FailureRule(failure_class=FailureClass.UPSTREAM_DATA, code="NoSuchKey|NoSuchBucket|42P01|BlobNotFound|ENOENT"),
    # ---- out of reach, out of order
    FailureRule(failure_class=FailureClass.NETWORK, status=(500, 599)),
    FailureRule(
        failure_class=FailureClass.NETWORK,
        code="08...|57P0.|53300|ECONN.*|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EPIPE|UNAVAILABLE|ServiceUnavailable|"
        "InternalError|InternalFailure",
    ),
    *_named(
        FailureClass.NETWORK,
        "builtins.ConnectionError socket.gaierror socket.herror ssl.SSLError urllib.error.URLError http.client.HTTPException "
        "requests.exceptions.ConnectionError requests.exceptions.ChunkedEncodingError httpx.TransportError "
        "urllib3.exceptions.HTTPError aiohttp.client_exceptions.ClientConnectionError "
        "aiohttp.client_exceptions.ClientPayloadError botocore.exceptions.HTTPClientError "
        "pymongo.errors.ConnectionFailure redis.exceptions.ConnectionError paramiko.ssh_exception.SSHException "
        "google.api_core.exceptions.ServerError google.auth.exceptions.TransportError "
        "azure.core.exceptions.ServiceRequestError azure.core.exceptions.ServiceResponseError "
        "smtplib.SMTPServerDisconnected smtplib.SMTPConnectError APIConnectionError",
    ),
    FailureRule(
        failure_class=FailureClass.NETWORK,
        exception="OperationalError",
        message=r"connection (to server .* failed|refused|reset)|could not (connect|translate host name)|"
        r"server closed the connection|lost connection|can't connect|connection is closed|gone away",
    ),
    # ---- said in words only
    FailureRule(
        failure_class=FailureClass.RATE_LIMIT, message=r"rate limit(ed| is)? (exceeded|reached)|too many requests"
    ),
)
