"""Writes the results of open_cases.py into the generated part of docs/keras-compatibility.md.
Usage: table.py PAGE RESULTS.json...      oldest version first"""
import json
import re
import sys

import known

BEGIN, END = "<!-- tests/interop/run.sh writes from here -->", "<!-- to here -->"
KINDS = ["layer", "activation", "initializer", "regularizer", "constraint", "loss", "metric", "optimizer", "schedule"]
PLURALS = {kind: kind + "s" for kind in KINDS} | {"loss": "losses"}


def told(value):
    """A difference, or the first words of an error, without the paths of the machine that it was met on."""
    if not isinstance(value, str):
        return "%.1e" % value
    words = re.sub(r"(/[^\s'\"/]+){2,}/?", "...", value.replace("\n", " ")).split(" The error occurred while")[0]
    return words if len(words) <= 160 else words[:157] + "..."


def cell(cases):
    """One word in one version."""
    if all(case["found"].get("unknown") for case in cases):
        return "-"
    if all(case["found"].get("needs") for case in cases):
        return "not tried"
    bad = [case for case in cases if case["wrong"]]
    if bad:
        return f"**{len(cases) - len(bad)} of {len(cases)}**"
    return "predicts" if any(case["found"].get("uncompiled") for case in cases) else "yes"


def reasons_of(results):
    """What cannot agree, reason by reason; then what does not agree without one."""
    faults = [(result["keras"], case) for result in results for case in result["cases"].values() if case["wrong"]]
    reasons, lines = {}, []
    for version, case in faults:
        if case.get("reason"):
            reasons.setdefault(case["reason"], {}).setdefault(f"`{case['text']}`", []).append(version)
    if reasons:
        lines += ["What cannot agree:", "", "| cases | Keras | why |", "|---|---|---|"]
    for reason, cases in reasons.items():
        versions = sorted({version for found in cases.values() for version in found}, key=lambda v: [int(n) for n in v.split(".")])
        lines.append(f"| {', '.join(cases)} | {', '.join(versions)} | {reason} |")
    others = [(version, case) for version, case in faults if not case.get("reason")]
    if others:
        lines += ["", "What does not agree, for a reason that is not known:", ""]
        lines += [f"* Keras {version}, {case['kind']} `{case['text']}`: " + "; ".join(
            f"{key}: {told(value)}" for key, value in case["wrong"].items()) for version, case in others]
    for one in known.KNOWN:
        if faults and one.reason not in reasons and any(result["keras"].startswith(one.versions) for result in results):
            print(f"tests/interop/known.py: no case needs \"{one.reason}\"", file=sys.stderr)
    return [*lines, ""] if lines else []


def main():
    page, results = sys.argv[1], []
    for path in sys.argv[2:]:
        with open(path) as file:
            results.append(json.load(file))
    words = {}
    for result in results:
        for case in result["cases"].values():
            words.setdefault((KINDS.index(case["kind"]), case["name"]), {}).setdefault(result["keras"], []).append(case)
    versions = [result["keras"] for result in results]
    lines = [BEGIN, "", "| Keras | backend | onnxruntime | cases that agree | cannot, see below | others | words that it does not have |",
             "|---|---|---|---|---|---|---|"]
    for result in results:
        cases = list(result["cases"].values())
        tried = [case for case in cases if not case["found"].get("unknown") and not case["found"].get("needs")]
        good = sum(not case["wrong"] for case in tried)
        reasons = sum(bool(case.get("reason")) for case in tried)
        lacking = sorted({f"{case['name']}" for case in cases if case["found"].get("unknown")})
        lines.append(f"| {result['keras']} | {result['backend']} | {result['onnxruntime'] or ''} | {good} of {len(tried)} | "
                     f"{reasons} | {len(tried) - good - reasons} | {', '.join(lacking)} |")
    lines += ["", "By word. yes: everything agrees; predicts: Keras has no such loss or optimizer, or ours differs, so that the file",
              "is not compiled, and predictions agree; 1 of 3: that many cases agree, the others stand below the tables; -: that version",
              "does not have the word; not tried: it needs TensorFlow as backend. Hashing, IntegerLookup and StringLookup",
              "are opened with that in the newest, too.", ""]
    for number, kind in enumerate(KINDS):
        lines += [f"| {PLURALS[kind]} | " + " | ".join(versions) + " |", "|---|" + "---|" * len(versions)]
        for (place, name), by_version in words.items():
            if place == number:
                lines.append(f"| `{name}` | " + " | ".join(cell(by_version[v]) if v in by_version else "" for v in versions) + " |")
        lines.append("")
    lines += reasons_of(results)
    lines.append(END)
    with open(page) as file:
        text = file.read()
    head, rest = text.split(BEGIN)
    with open(page, "w") as file:
        file.write(head + "\n".join(lines) + rest.split(END)[1])


if __name__ == "__main__":
    main()
