#!/usr/bin/env python3
"""Cases of the batch contract for the C program, and its verdicts compared.

    cases.py variants CASES.jsonl OUT.jsonl
    cases.py split CASES.jsonl ANSWERS.jsonl OUT.txt [MAX_JWKS]
    cases.py compare CASES.jsonl ANSWERS.jsonl VERDICTS.txt [MAX_JWKS]

ANSWERS.jsonl has the answers of the Rust example, a line for each case. `variants` writes the
cases, each once, and after each the same with an edited token, another time, and so on.
"""

import json
import sys
from urllib.parse import quote, unquote_to_bytes

TEXTS = ["token", "token_use", "jwks", "issuer", "client_id", "access_token", "code",
         "organization", "profile", "subject_kind"]
NULLABLE = ["nonce", "audience"]
SECONDS = ["now", "leeway", "max_age", "max_token_age"]
LISTS = ["acr_values", "trusted_audiences", "scopes_all", "scopes_any", "permissions_all",
         "permissions_any", "authorized_parties", "algorithms", "tenants"]
OTHERS = ["id", "backend", "confirmation", "claims", "comment", "description", "expect",
          "expected", "name", "note"]
KNOWN = set(TEXTS + NULLABLE + SECONDS + LISTS + OTHERS)


def lines_of(path):
    with open(path, "rb") as file:
        return [line for line in file.read().split(b"\n") if line.strip()]


def selected(cases, answers, max_jwks):
    """The cases that the C interface has all fields of, each with its index and answer."""
    chosen, left_out = [], {"no case": 0, "fields that C does not have": 0, "too large": 0}
    for index, (line, answer) in enumerate(zip(lines_of(cases), lines_of(answers), strict=True)):
        answer = json.loads(answer)
        if answer["verdict"] == "usage" and answer["error"] == "usage":
            left_out["no case"] += 1
            continue
        case = json.loads(line)
        if set(case) - KNOWN:
            left_out["fields that C does not have"] += 1
        elif len(case["jwks"]) > max_jwks or "\x00" in json.dumps(case):
            left_out["too large"] += 1
        else:
            chosen.append((index, case, answer))
    return chosen, left_out


def edited_tokens(token):
    """Tokens that differ from a signed one."""
    length = len(token)
    for place in [0, 1, 5, length // 4, length // 3, length // 2, 2 * length // 3, length - 300,
                  length - 10, length - 1]:
        if 0 <= place < length:
            yield token[:place] + ("B" if token[place] == "A" else "A") + token[place + 1:]
            yield token[:place] + token[place + 1:]
    yield from ["", ".", "..", "a.b.c", token + "=", token + ".", token + "." + token, token + "A",
                " " + token, token + "\n", token.swapcase(), "x" * 8193, "." * 40_000]
    parts = token.split(".")
    if len(parts) == 3:
        header, payload, signature = parts
        yield from [f"{header}.{payload}.", f".{payload}.{signature}", f"{header}..{signature}",
                    f"{payload}.{header}.{signature}", f"{header}.{payload}.{signature}.a.b",
                    f"{header}.{payload}.{signature[:4]}", f"{header}.{payload}.{'A' * len(signature)}",
                    f"eyJhbGciOiJub25lIn0.{payload}.{signature}",
                    f"eyJhbGciOiJIUzI1NiJ9.{payload}.{signature}",
                    f"eyJhbGciOiJSUzI1NiIsImNyaXQiOltdfQ.{payload}.{signature}",
                    f"eyJhbGciOiJSUzI1NiIsImFsZyI6IlJTMjU2In0.{payload}.{signature}",
                    f"eyJhbGciOiJSUzI1NiIsImtpZCI6Im5vIn0.{payload}.{signature}"]


def variants_of(case):
    yield {}
    for token in edited_tokens(case["token"]):
        yield {"token": token}
    for time in [-7200, -86400 * 365, -61, -60, -59, 59, 60, 61, 3600, 86400, 86400 * 365]:
        yield {"now": max(0, case["now"] + time)}
    yield from [{"now": 0}, {"now": 253_402_300_799}, {"leeway": 0}, {"leeway": 600},
                {"leeway": 601}, {"issuer": case.get("issuer", "") + "/"}, {"issuer": ""},
                {"token_use": "access"}, {"token_use": "id"}, {"token_use": "logout"},
                {"jwks": ""}, {"jwks": '{"keys":[]}'}, {"jwks": '{"keys":[{"kty":"oct"}]}'},
                {"jwks": '{"keys":1}'}, {"jwks": case.get("jwks", "") + "x"},
                {"algorithms": ["ES256"]}, {"algorithms": ["PS256", "RS256"]},
                {"audience": "another"}, {"client_id": "another"}, {"audience": ""},
                {"client_id": ""}, {"max_age": 0}, {"max_age": 600}, {"acr_values": []},
                {"acr_values": ["urn:a", "urn:b"]}, {"nonce": None}, {"nonce": "n"}, {"nonce": ""},
                {"scopes_all": ["read:patients"]}, {"scopes_any": ["x", "openid"]},
                {"scopes_all": ["openid"], "scopes_any": ["x", "profile"]}, {"scopes_all": []},
                {"scopes_any": ["a b"]}, {"permissions_all": ["read:patients"]},
                {"permissions_any": ["a", "b"]}, {"authorized_parties": ["my_client_id"]},
                {"authorized_parties": []}, {"audience": None, "authorized_parties": ["c"]},
                {"subject_kind": "user"}, {"subject_kind": "client"}, {"profile": "rfc9068"},
                {"max_token_age": 10}, {"confirmation": {"jkt": "x"}}, {"confirmation": "ignore"},
                {"trusted_audiences": ["a", "https://my-domain.auth0.com/userinfo"]},
                {"access_token": "abc"}, {"code": "abc"}, {"organization": "org_1"},
                {"claims": []}, {"claims": [{"path": ["sub"], "equals": "auth0|123456"}]},
                {"claims": [{"path": ["iat"], "equals": 5}]},
                {"claims": [{"path": ["email_verified"], "equals": True}]},
                {"claims": [{"path": ["iss"], "one_of": ["a", case.get("issuer", "")]}]},
                {"claims": [{"path": ["scope"], "contains": "openid"}]},
                {"claims": [{"path": ["aud", "x"], "contains": "y"}]},
                {"claims": [{"path": ["a"] * 5, "contains": "y"}]},
                {"tenants": ["a"]},
                {"tenants": ["my-domain"], "issuer": "https://{tenantid}.auth0.com/"}]


def variants(cases, out):
    seen = set()
    with open(out, "w", encoding="utf-8") as file:
        for line in lines_of(cases):
            try:
                case = json.loads(line)
                key = json.dumps(case, sort_keys=True)
            except ValueError:
                continue
            if key in seen or not isinstance(case, dict):
                continue
            seen.add(key)
            is_whole = isinstance(case.get("token"), str) and isinstance(case.get("now"), int)
            for changes in variants_of(case) if is_whole else [{}]:
                file.write(json.dumps({**case, **changes}) + "\n")


def encode(text):
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def rule_lines(number, rule):
    yield f"rule{number}.path[]"
    for name in rule["path"]:
        yield f"rule{number}.path+ {encode(name)}"
    if "contains" in rule:
        comparison, value = 5, ("text", rule["contains"])
    elif "one_of" in rule:
        comparison, value = 4, None
        yield f"rule{number}.texts[]"
        for text in rule["one_of"]:
            yield f"rule{number}.texts+ {encode(text)}"
    elif isinstance(rule["equals"], bool):
        comparison, value = 3, ("integer", str(int(rule["equals"])))
    elif isinstance(rule["equals"], int):
        comparison, value = 2, ("integer", str(rule["equals"]))
    else:
        comparison, value = 1, ("text", rule["equals"])
    yield f"rule{number}.comparison {comparison}"
    if value:
        yield f"rule{number}.{value[0]} {encode(value[1])}"


def case_lines(index, case):
    yield f"id {index}"
    for name in TEXTS:
        if case.get(name) is not None:
            yield f"{name} {encode(case[name])}"
    for name in NULLABLE:
        if name in case:
            yield name if case[name] is None else f"{name} {encode(case[name])}"
    for name in SECONDS:
        if case.get(name) is not None:
            yield f"{name} {int(case[name])}"
    for name in LISTS:
        if case.get(name) is not None:
            yield f"{name}[]"
            for item in case[name]:
                yield f"{name}+ {encode(item)}"
    confirmation = case.get("confirmation")
    if confirmation == "ignore":
        yield "ignore_confirmation 1"
    elif confirmation is not None:
        for name, field in [("x5t#S256", "x5t"), ("jkt", "jkt")]:
            if confirmation.get(name) is not None:
                yield f"{field} {encode(confirmation[name])}"
    for number, rule in enumerate(case.get("claims") or []):
        yield from rule_lines(number, rule)
    yield ""


def split(cases, answers, out, max_jwks):
    chosen, left_out = selected(cases, answers, max_jwks)
    with open(out, "w", encoding="ascii") as file:
        for index, case, _ in chosen:
            for line in case_lines(index, case):
                file.write(line + "\n")
    print(f"{len(chosen)} cases; left out: {left_out}", file=sys.stderr)


def differences(case, answer, verdict, code, fields):
    """What the C program and the Rust example say differently."""
    if answer["verdict"] == "usage":
        return [] if verdict == "usage" else [("verdict", "usage", verdict)]
    if code == "tenant_template" and answer.get("error") in ["no_usable_keys", "invalid_json"]:
        return []  # An issuer is initialised before its keys are read.
    expected = {"verdict": answer["verdict"], "code": answer.get("error", "ok")}
    found = {"verdict": verdict, "code": code}
    # The keys of a set that cannot be read are refused before there is a validation.
    if fields:
        for name in ["sub", "scope", "sid", "status", "www_authenticate", "message"]:
            if name in answer and (name in fields or answer[name]):
                expected[name] = str(answer[name] if answer[name] is not None else "")
                found[name] = fields.get(name, "")
        if "aud" in answer and answer["verdict"] == "valid":
            expected["aud"] = answer["aud"]
            found["aud"] = fields["aud"]
    return [(name, expected[name], found[name]) for name in expected
            if expected[name] != found[name]]


def compare(cases, answers, verdicts, max_jwks):
    chosen, _ = selected(cases, answers, max_jwks)
    with open(verdicts, encoding="ascii", errors="replace") as file:
        lines = [line.rstrip("\r\n") for line in file]
    lines = [line for line in lines if "\t" in line]
    if not chosen or lines[-1:] != [f"end\t{len(chosen)}"]:
        sys.exit(f"{len(chosen)} cases, and the last line is {lines[-1:]}")
    counts, wrong = {}, 0
    for (index, case, answer), line in zip(chosen, lines[:-1], strict=True):
        number, verdict, code, *rest = line.split("\t")
        assert number == str(index), line
        fields = {}
        for field in rest:
            name, _, text = field.partition("=")
            decode = lambda part: unquote_to_bytes(part).decode("utf-8", "replace")
            parts = text.split(" ") if text else []
            fields[name] = [decode(part) for part in parts] if name == "aud" else decode(text)
        found = differences(case, answer, verdict, code, fields)
        counts[verdict] = counts.get(verdict, 0) + 1
        if found:
            wrong += 1
            print(f"case {index} ({case['id']}): {found}", file=sys.stderr)
    print(f"{len(chosen)} verdicts ({', '.join(f'{n} {v}' for v, n in sorted(counts.items()))}), "
          f"{wrong} differ from the Rust example")
    if wrong:
        sys.exit(1)


if __name__ == "__main__":
    mode, paths = sys.argv[1], sys.argv[2:5]
    if mode == "variants":
        sys.exit(variants(*paths))
    limit = int(sys.argv[5]) if len(sys.argv) > 5 else 1 << 20
    {"split": split, "compare": compare}[mode](*paths, limit)
