#!/usr/bin/env bash
# Writes the cases that the repository's tests of the batch mode run, and variants of them, to
# FOLDER/cases.jsonl, and the answers of the Rust example to FOLDER/answers.jsonl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$root"
target=${CARGO_TARGET_DIR:-target}
features=pure-rust
cargo build --quiet --features $features --example validate
test_binary=$(cargo test --quiet --features $features --test batch --no-run --message-format=json |
    python3 -c 'import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message.get("executable") and message["target"]["name"] == "batch":
        print(message["executable"])')

# The test looks for the example beside itself: here it finds one that writes the cases down.
rm -rf "$folder/recorder"
mkdir -p "$folder/recorder/deps" "$folder/recorder/examples" "$folder/recorder/cases"
cp "$test_binary" "$folder/recorder/deps/batch"
cat > "$folder/recorder/examples/validate" <<END
#!/usr/bin/env bash
if [ "\${1:-}" = --batch ]; then
    tee "$folder/recorder/cases/\$\$" | exec "$target/debug/examples/validate" "\$@"
else
    exec "$target/debug/examples/validate" "\$@"
fi
END
chmod +x "$folder/recorder/examples/validate"
"$folder/recorder/deps/batch" --quiet >/dev/null
for file in "$folder"/recorder/cases/*; do
    cat "$file"
    echo
done > "$folder/recorded.jsonl"
python3 "$here/cases.py" variants "$folder/recorded.jsonl" "$folder/cases.jsonl"
"$target/debug/examples/validate" --batch "$folder/cases.jsonl" > "$folder/answers.jsonl"
wc -l < "$folder/cases.jsonl"
