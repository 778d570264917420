"""A client of a whole Redis Cluster, with the interface of a client of a single Redis.

Shared keys are on one server, so that RQ and transactions work as usual; a camera's keys are on the
server of its group. Commands go to the right server, and a pipeline is divided among them.
"""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import Any

from redis import Redis
from redis.client import Pipeline
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from bus.cluster.connections import name_plainly
from bus.cluster.map import MOST_REDIRECTS, ClusterMap
from bus.cluster.places import HOME, place

_NOT_HERE = (AskError, TryAgainError)
"""Refusals of commands that were not carried out; `MovedError` is one too."""


class ClusterClient(Redis):
    """The client. Its own connections lead to the server of the shared keys.

    Connections that libraries take from its pool do so too, and may use shared keys only.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.servers: ClusterMap = self.connection_pool.connection_kwargs["cluster"]
        name_plainly(self)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to the server that has its keys."""
        if args[0] == "SCRIPT LOAD":
            return self._load_everywhere(args[1])
        tag = place(args)
        if tag != HOME:
            return self.servers.send(tag, args, options)
        for _ in range(MOST_REDIRECTS):
            with suppress(MovedError):  # its connection finds the next server by itself
                return self._at_home(args, options)
        return self._at_home(args, options)

    def _at_home(self, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except (RedisConnectionError, RedisTimeoutError, ClusterDownError):
            self.servers.doubt_home()
            raise

    def _load_everywhere(self, script: Any) -> Any:
        """Load a script into every server that answers; raise only if none does."""
        digest, failure = None, None
        for node in self.servers.primaries():
            try:
                digest = self.servers.client(node).script_load(script)
            except (RedisConnectionError, RedisTimeoutError) as error:
                failure = error
        if digest is None and failure is not None:
            self.servers.doubt()
            raise failure
        return digest

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        """Return a pipeline of commands to any servers; a transaction must use one server."""
        return ClusterPipeline(self, transaction, shard_hint)

    def close(self) -> None:
        """Close all connections, of all servers."""
        super().close()
        if servers := getattr(self, "servers", None):
            servers.close()


class ClusterPipeline(Pipeline):
    """Commands that are sent together to each server; answers come in the order of commands."""

    def __init__(self, client: ClusterClient, transaction: bool, shard_hint: Any) -> None:
        super().__init__(client.connection_pool, client.response_callbacks, transaction, shard_hint)
        self._servers = client.servers
        self._whole = transaction

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """Carry out all commands.

        Raises:
            ValueError: a transaction has keys of several slots. Nothing was sent.
        """
        if self.watching or self.explicit_transaction or not self.command_stack:
            return super().execute(raise_on_error)
        try:
            commands = list(self.command_stack)
            if self._whole:
                return self._execute_whole(commands, raise_on_error)
            answers = self._execute_divided(commands)
            if raise_on_error:
                self.raise_first_error(commands, answers)  # type: ignore[no-untyped-call]
            return answers
        finally:
            self.reset()

    def _execute_whole(self, commands: list[Any], raise_on_error: bool) -> list[Any]:
        tags = {place(args) for args, _ in commands}
        if len(tags) > 1:
            raise ValueError(
                "a transaction names keys of several slots; use one for each camera, and "
                "one for shared keys"
            )
        answers: list[Any] = self._servers.follow(
            tags.pop(), lambda client: self._send(client, commands, True, raise_on_error)
        )
        return answers

    def _execute_divided(self, commands: list[Any]) -> list[Any]:
        by_node = defaultdict(list)
        tags = [place(args) for args, _ in commands]
        for number, tag in enumerate(tags):
            by_node[self._servers.node_of(tag)].append(number)
        answers: list[Any] = [None] * len(commands)
        failure: RedisError | None = None
        for node, numbers in by_node.items():
            some = [commands[number] for number in numbers]
            try:
                found = self._send(self._servers.client(node), some, False, False)
            except (RedisConnectionError, RedisTimeoutError) as error:
                # Send the commands of the other servers anyway: their leases must not expire too.
                self._servers.doubt(node)
                failure = error
                continue
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = self._followed(tags[number], commands[number], answer)
        if failure is not None:
            raise failure
        return answers

    def _followed(self, tag: bytes, command: Any, answer: Any) -> Any:
        """Return the answer of the server that has the key now."""
        if not isinstance(answer, _NOT_HERE):
            return answer
        if isinstance(answer, MovedError):
            self._servers.doubt()
        args, options = command
        try:
            return self._servers.send(tag, args, options)
        except ResponseError as error:
            return error

    def _send(
        self, client: Redis, commands: list[Any], transaction: bool, raise_on_error: bool
    ) -> list[Any]:
        with client.pipeline(transaction=transaction) as pipeline:
            # Copies, because a pipeline takes options out of them.
            pipeline.command_stack = [(args, dict(options)) for args, options in commands]
            pipeline.scripts = set(self.scripts)
            return pipeline.execute(raise_on_error)
