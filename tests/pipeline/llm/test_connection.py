"""What a client sends of a connection's key, headers and query, and that its messages show no secret."""

import pytest
from pydantic import SecretStr

from pipeline.config import ConnectionNames, ModelConnection
from pipeline.domain.errors import FailureCause, LLMError, LLMRejected
from pipeline.llm.breaker import AT_START
from pipeline.llm.client import build_client
from pipeline.llm.structured_output import UnlimitedBudget, request_structured
from tests.fakes.model_server import ModelServer, Reply, completion, error
from tests.pipeline.llm.conversation import request

SECRET = "abc-123-def"
NAMES = ConnectionNames("K of p", "M of p", "U of p", "E of p", "T of p", "L of p", "P of p")


async def ask(server: ModelServer, **fields: object) -> None:
    values = {"model": "fake-1", "base_url": server.base_url, "names": NAMES, **fields}
    async with build_client(ModelConnection.model_validate(values)) as client:
        await request_structured(client, request(), UnlimitedBudget())


@pytest.mark.parametrize(
    ("fields", "authorization"),
    [
        ({}, "Bearer no-key-needed"),
        ({"api_key": SecretStr(SECRET)}, f"Bearer {SECRET}"),
        ({"headers": {"api-key": SecretStr(SECRET)}}, None),
        ({"headers": {"authorization": SecretStr(f"Basic {SECRET}")}}, f"Basic {SECRET}"),
        ({"headers": {"x-a": SecretStr("b")}, "api_key": SecretStr(SECRET)}, f"Bearer {SECRET}"),
    ],
)
async def test_the_key_is_sent_in_one_place(fields: dict[str, object], authorization: str | None) -> None:
    with ModelServer() as server:
        await ask(server, **fields)
        assert server.headers[0].get("authorization") == authorization
        headers = fields.get("headers")
        for name, value in headers.items() if isinstance(headers, dict) else ():
            assert server.headers[0][name] == value.get_secret_value()


async def test_the_query_is_part_of_every_request() -> None:
    with ModelServer() as server:
        await ask(server, query={"api-version": SecretStr("2024-10-21"), "a": SecretStr("b c")})
        assert server.paths == ["/v1/chat/completions?api-version=2024-10-21&a=b+c"]


@pytest.mark.parametrize(
    ("status", "code", "name", "cause"),
    [
        (401, None, "K of p", FailureCause.KEY),
        (402, None, "K of p", FailureCause.CREDIT),
        (404, "model_not_found", "M of p", FailureCause.MODEL),
        (405, None, "U of p", FailureCause.URL),
    ],
)
async def test_a_message_names_the_setting_and_shows_no_secret(
    status: int, code: str | None, name: str, cause: FailureCause
) -> None:
    with ModelServer() as server:
        server.enqueue(error(status, f"no {{key}} for {SECRET}", code=code))
        with pytest.raises(LLMRejected) as caught:
            await ask(server, secrets=(SecretStr(SECRET),))
    assert name in caught.value.message
    assert "no {key} for …" in caught.value.message, "a server's words are not filled in"
    assert caught.value.cause is cause


async def test_a_limit_among_the_extra_fields_is_the_limit_that_is_booked_and_raised() -> None:
    with ModelServer() as server:
        server.enqueue(completion("{", finish="length"))
        await ask(server, extra_body={"max_completion_tokens": 600, "top_p": 0.9}, max_tokens=300)
    assert [sent["max_tokens"] for sent in server.received] == [600, 2400]
    assert all("max_completion_tokens" not in sent and sent["top_p"] == 0.9 for sent in server.received)


async def test_a_cut_off_answer_names_the_limit_of_the_profile() -> None:
    with ModelServer() as server:
        server.enqueue(*[completion("{", finish="length")] * 2)
        with pytest.raises(LLMError, match="set L of p higher"):
            await ask(server)


async def test_a_run_that_ends_after_failures_in_a_row_names_the_settings_of_the_profile() -> None:
    with ModelServer() as server:
        server.refuse = lambda _request: completion("no article")
        values = {"model": "fake-1", "base_url": server.base_url, "names": NAMES}
        async with build_client(ModelConnection.model_validate(values)) as client:
            for _ in range(AT_START):
                with pytest.raises(LLMError) as caught:
                    await request_structured(client, request(), UnlimitedBudget())
    assert "check M of p: this model may be too weak" in caught.value.message


async def test_a_timeout_names_the_setting_of_the_profile() -> None:
    with ModelServer() as server:
        server.enqueue(*[Reply(stall=True)] * 2)
        with pytest.raises(LLMError, match="see T of p"):
            await ask(server, timeout_s=0.3)
