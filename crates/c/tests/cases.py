#!/usr/bin/env python3
"""Cases of the batch contract for the C program, and its verdicts compared.

    cases.py split CASES.jsonl ANSWERS.jsonl OUT.txt [MAX_JWKS]
    cases.py compare CASES.jsonl ANSWERS.jsonl VERDICTS.txt [MAX_JWKS]

ANSWERS.jsonl has the answers of the Rust example, a line for each case.
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
    if case.get("claims") is not None:
        yield "rules 1"
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
    limit = int(sys.argv[5]) if len(sys.argv) > 5 else 1 << 20
    {"split": split, "compare": compare}[mode](*paths, limit)
