"""What model servers mean by their refusals: one table, a row for each provider and meaning. Pure.

The first row that matches counts. Codes come before words, words before statuses; the rows in front of the
codes name words that say more than the code beside them. No other module tells refusals apart by their words.
"""

from pipeline.domain.errors import FailureCause as Cause
from pipeline.llm.error_body import ServerError
from pipeline.llm.refusal import Advice, Refusal
from pipeline.llm.refusal import row as _row

CREDIT, KEY, MODEL, URL = Cause.CREDIT, Cause.KEY, Cause.MODEL, Cause.URL
CONTEXT, FILTER, FORMAT, OTHER = Cause.CONTEXT, Cause.FILTER, Cause.FORMAT, Cause.OTHER
OUTAGE, OVERLOAD = Cause.OUTAGE, Cause.OVERLOAD

_SERVER = range(500, 600)
_READ = (200, 400, 413, 422, 500)
"""Statuses of a server that read the request; 200 stands for an error without a status of its own."""
_DENIED = (200, 400, 401, 403, 500)

_BEFORE_CODES = (
    # The token rate of a free plan: no wait makes a request fit that is larger than a minute's tokens.
    _row("Groq, OpenAI", CONTEXT, r"request too large.{0,200}tokens per min", status=(413, 429)),
    # The code of an empty account stands beside its rate limit, too.
    # Source: https://help.aliyun.com/en/model-studio/error-code
    _row("DashScope", CREDIT, r"free (?:tier|quota|allocated quota).{0,60}(?:exhausted|exceeded)"),
    _row("DashScope", OVERLOAD, r"allocated quota exceeded", status=(429,)),
    _row("DashScope", MODEL, r"enable_thinking.{0,40}(?:non-?stream|stream call)", advice=Advice.THINKING),
    _row("DashScope, others", MODEL,
         r"only supports? stream|stream(?:ing)? (?:mode )?(?:only|is required|must be (?:true|enabled))"
         r"|stream.{0,12} must be set to true|does not support (?:non-?stream|http call)",
         advice=Advice.STREAM),
    # A limit of 0: the free plan does not have the model, so that "retry in 20 s" never helps.
    # Source: https://ai.google.dev/gemini-api/docs/rate-limits
    _row("Gemini", CREDIT, r"quota exceeded for metric.{0,200}limit: 0\b", status=(429,)),
    _row("Gemini, behind a gateway", OVERLOAD,
         r"resource_exhausted|resource (?:has been )?exhausted|exceeded your current quota.{0,800}retry in"),
    # With status 403 or 429. Source: https://docs.x.ai/docs/guides/errors
    _row("xAI", CREDIT, r"doesn't have any credits|used all available credits|monthly spending limit"),
    _row("Cohere", CREDIT, r"calls? ?/ ?month|trial key.{0,80}month"),
    # Source: https://docs.anthropic.com/en/api/errors
    _row("Anthropic", CREDIT, r"credit balance is too low|(?:specified|workspace) api usage limits"),
    # Source: https://openrouter.ai/docs/api/reference/errors-and-debugging
    _row("OpenRouter", CREDIT,
         r"requires? more credits|more credits are required|insufficient credits|can only afford"
         r"|key limit exceeded"),
    # "That can handle the parameters" is about the request, any other reason is about the model.
    _row("OpenRouter", FORMAT, r"no endpoints found that (?:can )?(?:support|handle)"),
    _row("OpenRouter", MODEL, r"no (?:endpoints|allowed providers) (?:found|(?:are )?available)"),
    # Source: https://docs.together.ai/docs/error-codes
    _row("Together", CONTEXT, r"input token count|max_(?:new_)?tokens.{0,60}context length", status=(403,)),
    _row("Ollama", FORMAT, r"required for format"),
    _row("Ollama", MODEL, r"requires more system memory|unable to load model|does not support chat"),
    _row("LM Studio", URL, r"unexpected endpoint or method"),
    _row("LM Studio", MODEL, r"no models? (?:is |are )?(?:currently )?loaded|multiple models are loaded"),
    _row("LM Studio", OUTAGE, r"model (?:has )?(?:crashed|unloaded)|channel error"),
    _row("vLLM", CONTEXT, r"max_(?:completion_)?tokens must be.{0,40}got -\d"),
)  # fmt: skip

_CODES = (
    _row("OpenAI, Azure, Groq, Cerebras", CONTEXT, codes="context_length_exceeded string_above_max_length"),
    _row("llama.cpp", CONTEXT, codes="exceed_context_size_error"),
    _row("Mistral", CONTEXT, codes="3051 context_length_error"),
    _row("Anthropic", CONTEXT, codes="request_too_large"),
    _row("GitHub Models", CONTEXT, codes="tokens_limit_reached"),
    _row("Qianfan", CONTEXT, codes="tokens_too_long characters_too_long"),
    # Source: https://docs.bigmodel.cn/cn/api/api-code, as for its other numbers.
    _row("BigModel", CONTEXT, codes="1261", status=_READ),
    _row("OpenAI, Azure", FILTER,
         codes="content_filter content_policy_violation moderation_blocked responsibleaipolicyviolation "
               "invalid_prompt"),
    _row("DashScope", FILTER, codes="datainspectionfailed data_inspection_failed"),
    _row("Qianfan", FILTER, codes="unsafe_request"),
    _row("Volcengine", FILTER,
         codes="sensitivecontentdetected inputtextsensitivecontentdetected "
               "outputtextsensitivecontentdetected"),
    _row("BigModel", FILTER, codes="1301", status=(*_READ, 403, 429)),
    _row("Gemini", FILTER, codes="prohibited_content safety blocklist"),
    _row("Portkey", FILTER, codes="hooks_failed guardrail_violation"),
    # Source: https://platform.openai.com/docs/guides/error-codes
    _row("OpenAI, Azure, Perplexity", CREDIT,
         codes="insufficient_quota billing_hard_limit_reached billing_not_active"),
    _row("Anthropic", CREDIT, codes="billing_error"),
    _row("DashScope", CREDIT, codes="arrearage allocationquota.freetieronly"),
    _row("Moonshot", CREDIT, codes="exceeded_current_quota_error"),
    _row("one-api, new-api", CREDIT, codes="insufficient_user_quota pre_consume_token_quota_failed"),
    _row("LiteLLM", CREDIT, codes="budget_exceeded"),
    _row("Copilot", CREDIT, codes="quota_exceeded"),
    # Source: https://www.volcengine.com/docs/82379/1299023
    _row("Volcengine", CREDIT, codes="accountoverdueerror"),
    _row("BigModel", CREDIT, codes="1113 1309", status=(*_DENIED, 402, 429)),
    _row("MiniMax", CREDIT, codes="1008", status=(200,)),
    _row("SiliconFlow", CREDIT, codes="30001"),
    _row("OpenAI, Groq, Cerebras, one-api, Hugging Face", MODEL,
         codes="model_not_found model_decommissioned model_not_active model_terms_required "
               "model_not_supported"),
    _row("Azure", MODEL, codes="deploymentnotfound operationnotsupported"),
    _row("GitHub Models", MODEL, codes="unknown_model unavailable_model"),
    _row("Mistral, Perplexity, Qianfan", MODEL, codes="invalid_model 1500"),
    _row("Together", MODEL, codes="model_not_available dedicated_endpoint_not_running"),
    _row("DashScope", MODEL, codes="modelnotfound"),
    _row("Volcengine", MODEL,
         codes="invalidendpointormodel.notfound modelnotopen invalidendpoint.closedendpoint"),
    _row("BigModel", MODEL, codes="1211 1311", status=(*_DENIED, 404, 429)),
    _row("SiliconFlow", MODEL, codes="20012 30003"),
    _row("LiteLLM", MODEL, codes="key_model_access_denied team_model_access_denied user_model_access_denied"),
    _row("OpenAI", MODEL, codes="param=model", status=(400, 403, 404)),
    _row("OpenAI, Groq, Cerebras, one-api", KEY,
         codes="invalid_api_key invalid_organization account_deactivated "
               "unsupported_country_region_territory "
               "organization_restricted wrong_api_key api_key_required"),
    _row("Anthropic", KEY, codes="authentication_error"),
    # Source: https://ai.google.dev/gemini-api/docs/troubleshooting
    _row("Gemini", KEY,
         codes="api_key_invalid api_key_expired api_key_service_blocked unauthenticated service_disabled"),
    _row("DashScope", KEY, codes="invalidapikey"),
    # Source: https://platform.kimi.com/docs/api/errors
    _row("Moonshot", KEY, codes="invalid_authentication_error incorrect_api_key_error"),
    _row("LiteLLM", KEY, codes="auth_error token_not_found_in_db expired_key"),
    _row("Volcengine", KEY, codes="authenticationerror"),
    _row("BigModel", KEY, codes="1000 1001 1002 1003 1004", status=(400, 401, 403, 500)),
    _row("MiniMax", KEY, codes="1004 2049", status=(200,)),
    # A gateway that passes on the refusal of the server behind it as a failure of its own.
    _row("gateways", KEY, codes="401 unauthorized", status=(500, 502)),
    _row("Groq", FORMAT, codes="json_validate_failed"),
    _row("OpenAI, Mistral", FORMAT,
         codes="unsupported_parameter unsupported_value extra_forbidden invalid_json_schema "
               "param=response_format"),
    _row("Anthropic, Groq", OVERLOAD, codes="overloaded_error capacity_exceeded"),
    _row("Moonshot", OVERLOAD, codes="engine_overloaded_error rate_limit_reached_error"),
    _row("Gemini", OVERLOAD, codes="resource_exhausted unavailable"),
    _row("OpenAI, Groq, Cerebras", OVERLOAD,
         codes="rate_limit_exceeded rate_limit_error too_many_requests_error request_quota_exceeded "
               "token_quota_exceeded queue_exceeded slow_down server_is_overloaded"),
    _row("BigModel", OVERLOAD, codes="1302 1303 1304 1305 1308 1310 1312", status=(429, 500, 503)),
    _row("Volcengine", OVERLOAD, codes="serveroverloaded modelloadingerror"),
)  # fmt: skip

_WORDS = (
    _row("Azure, OpenRouter, DashScope, Moonshot", FILTER,
         r"content (?:management )?(?:policy|filter)|content[_ ]policy|moderation|flagged|guardrail"
         r"|safety system|inappropriate content|exists risk|considered high risk|usage polic(?:y|ies)"
         r"|unsafe content|敏感",
         status=(200, 400, 403, 422, 446, 451, 498)),
    _row("OpenAI, vLLM, Ollama, LM Studio, DeepSeek", FORMAT,
         r"response[ _]?format|json[_ ]?schema|json_object|json mode|structured[ _]output|grammar"
         r"|guided[_ ]|schema",
         status=(*_READ, 404, 501)),
    _row("all", FORMAT,
         r"\b(?:temperature|seed|max_(?:completion_)?tokens)\b.{0,60}"
         r"(?:support|deprecat|unknown|unrecogni|not permitted|not allowed|unexpected)", status=(400, 422)),
    # The answer's limit alone is too high; `answer_limit` reads what it may be.
    _row("DeepSeek, Groq, OpenAI", FORMAT,
         r"max_(?:completion_|output_)?tokens\b(?!.{0,120}context).{0,120}"
         r"(?:too (?:large|high)|at most|between|exceed|less than|<=|range|maximum|should be \[)",
         status=(400, 422)),
    _row("OpenAI, vLLM, SGLang, llama.cpp, Mistral, OpenRouter", CONTEXT,
         r"context[ _-]?(?:length|size|window|limit)|maximum context|too large for model with \d",
         status=_READ),
    _row("Anthropic, Bedrock, Fireworks, Mistral", CONTEXT,
         r"(?:prompt|input|request) (?:is )?too (?:long|large)|prompt contains \d+ tokens", status=_READ),
    _row("Gemini", CONTEXT, r"input token count.{0,40}exceeds", status=_READ),
    _row("Groq, Cerebras, Perplexity, GitHub Models", CONTEXT,
         r"reduce the length of|total length of all messages|request body too large", status=_READ),
    _row("OpenAI, Azure", CONTEXT, r"input tokens exceed|messages resulted in \d+ tokens", status=_READ),
    _row("xAI, Moonshot", CONTEXT,
         r"maximum prompt length|exceeded model token limit|token length too long", status=_READ),
    _row("DashScope, BigModel", CONTEXT, r"range of input length|tokens too long|prompt 超长", status=_READ),
    _row("Cohere, TGI, Copilot", CONTEXT,
         r"too many (?:input |prompt )?tokens|`inputs` (?:tokens \+|must have less)"
         r"|prompt token count.{0,40}exceeds"
         r"|longer than the (?:model|maximum)|token limit exceeded", status=_READ),
    _row("DeepSeek, SiliconFlow, one-api", CREDIT,
         r"insufficient (?:account )?(?:balance|funds|credits?|quota)|balance is (?:insufficient"
         r"|not enough|too low)"
         r"|out of (?:credits?|funds)|no (?:credits?|balance) (?:left|remaining)|quota is not enough"
         r"|余额不足|额度不足|欠费|额度已用尽"),
    _row("Hugging Face, OpenAI, Fireworks, DashScope, Moonshot", CREDIT,
         r"included credits|exceeded (?:your )?current quota|billing (?:details|hard limit|cycle)"
         r"|spending limit"
         r"|past invoices|account.{0,80}suspended|in good standing|overdue|credit limit exceeded"
         r"|enable billing"
         r"|purchase (?:more )?credits|payment required", status=(*_DENIED, 412, 429, 503)),
    _row("LiteLLM", CREDIT, r"budget has been exceeded|exceeded ?budget|over budget"),
    _row("one-api, new-api", MODEL, r"no available channels?|无可用渠道|该模型无可用|无权(?:使用|访问)模型"),
    _row("Azure", MODEL, r"deployment.{0,40}(?:not found|does not exist)"),
    # A model that is unavailable for now is not gone.
    _row("Ollama, vLLM, Groq, DeepSeek, Hugging Face, Perplexity", MODEL,
         r"^(?!.*(?:temporar|try again|later\b|overload|demand|capacity)).*(?:\bmodels?\b.{0,200}"
         r"(?:not found|not (?:be )?found|not? exist|(?:not|un) ?available|decommissioned|deprecated"
         r"|retired|disabled"
         r"|discontinued|not supported by any|not (?:a )?valid|no longer|not running|not loaded)"
         r"|(?:not found|unknown|invalid|no such|unrecogni[sz]ed).{0,20}\bmodels?\b|模型不存在)",
         status=(*_DENIED, 404, 410, 422)),
    _row("one-api, LiteLLM", MODEL,
         r"\bmodels?\b(?!.{0,200}\b(?:host|upstream|dns|domain|server|name or service)\b).{0,200}"
         r"(?:not found|not? exist|decommissioned)|invalid model name", status=_SERVER),
    _row("OpenAI, Bedrock, Together, LiteLLM", MODEL,
         r"not a (?:chat model|valid model)|only supported in v1/|does(?:n't"
         r"| not) work with the specified model"
         r"|access (?:to )?(?:the )?(?:requested )?model|not allowed to (?:access|use) (?:this )?model"
         r"|model identifier is invalid|non-serverless model|failed to load (?:the )?model",
         status=(*_DENIED, 404, 422)),
    _row("OpenAI, xAI, Gemini, one-api", KEY,
         r"api[ _-]?keys? (?:is |was |has |you provided )?(?:been )?"
         r"(?:not valid|invalid|expired|missing|required|incorrect|disabled|revoked|not found"
         r"|reported as leaked)"
         r"|(?:invalid|incorrect|missing|expired|wrong|unknown|no|malformed) (?:or (?:missing"
         r"|invalid) )?(?:x-)?"
         r"(?:api|subscription|access|virtual)[ _-]?(?:key|token)|pass a valid api key"),
    _row("OpenRouter", KEY, r"no (?:auth credentials|cookie auth)|^\W*user not found"),
    _row("Gemini, OpenAI", KEY,
         r"location is not supported|(?:country|region|territory).{0,30}not (?:supported|available)"),
    _row("Mistral, LiteLLM, Together, one-api", KEY,
         r"^\W*(?:unauthori[sz]ed|forbidden)\b|invalid (?:authentication|credentials|token)"
         r"|authentication ?(?:error|fail)"
         r"|令牌|身份验证", status=_DENIED),
    _row("Portkey, Cloudflare", KEY,
         r"missing required headers?|provider is not (?:valid|set)|configure ai gateway|x-portkey-\w+",
         status=_DENIED),
    _row("Azure", URL, r"^\W*resource not found|api version not supported", status=(400, 404)),
    _row("Groq, OpenAI, Mistral, Ollama, Bedrock", OVERLOAD,
         r"over ?capacity|overloaded|at capacity|capacity (?:has been )?exceeded|high demand|server busy"
         r"|too many requests|rate limit|requests exceeded", status=(200, 400, 429, 498, *_SERVER)),
)  # fmt: skip

_STATUSES = (
    _row("all", KEY, status=(401, 403, 407)),
    _row("all", CREDIT, status=(402,)),
    # Source: https://docs.fireworks.ai/troubleshooting/status_error_codes/inference_error_code
    _row("Fireworks", CREDIT, status=(412,)),
    _row("Anthropic, Moonshot, xAI", MODEL, r"\bmodel\b", status=(404, 410)),
    _row("all", URL, status=(*range(300, 400), 404, 405, 410)),
    _row("all", CONTEXT, status=(413,)),
    _row("Portkey", FILTER, status=(446, 451)),
    # Source: https://console.groq.com/docs/errors
    _row("Groq", OVERLOAD, status=(498,)),
    _row("all", OVERLOAD, status=(429, 503, 529)),
    _row("all", FORMAT, status=(400, 422)),
    _row("all", OUTAGE, status=(*range(300), 408, 409, 425, 499, *_SERVER)),
    _row("all", OTHER),
)

_PAGES = (
    _row("Perplexity, websites", KEY, status=(401, 407), page=True),
    _row("websites", CREDIT, status=(402,), page=True),
    _row("proxies", CONTEXT, status=(413,), page=True),
    _row("proxies", OVERLOAD, status=(429, 503, 529), page=True),
    _row("proxies", OUTAGE, status=(408, *_SERVER), page=True),
    _row("websites", URL, page=True),
)

REFUSALS: tuple[Refusal, ...] = (*_BEFORE_CODES, *_CODES, *_WORDS, *_STATUSES, *_PAGES)
"""In the order in which they are tried. The last row of the statuses and of the pages match every error."""


def understand(error: ServerError) -> Refusal:
    """Return the first row that matches an error."""
    return next(row for row in REFUSALS if row.matches(error))
