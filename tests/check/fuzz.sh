#!/bin/bash
# Arbitrary bytes as scripts: what is in the tree with bytes changed, and noise. Each input is also cut into pieces, which must not matter.
#
# usage: fuzz.sh [INPUTS [SEED]]
set -u
inputs=${1:-400} seed=${2:-$RANDOM}
program=$BUILDDIR/tests/fuzz/fuzz_lex
[ -x "$program" ] || { echo "skip - $program is not built"; exit 77; }
command -v python3 >/dev/null || { echo "skip - python3 is missing"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
echo "# seed $seed"
python3 - "$dir" "$inputs" "$seed" "$SRCDIR"/tests/script/*.bell "$SRCDIR"/lessons/*.bell <<'PYTHON'
import random
import sys

out, inputs, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
texts = [open(f, "rb").read() for f in sys.argv[4:]]
# Bytes that mean something to the lexer, and names of the target's own commands.
telling = [b"'", b'"', b"\\", b"\\\n", b"$", b"${", b"}", b"#", b";", b"\n", b"|", b">", b">>", b"@", b"!", b"\0", b"\r", b"\xff", b"\xc3",
           b"\xe2\x80\xae", b" ", b"\t", b"e ", b"l m 1G ", b"j mnt of ", b"k 9 ", b"t 1h ", b"n a:b ", b"x on", b"V"]
for i in range(inputs):
    if i % 4 == 0:
        data = bytearray(random.choices(range(256), k=random.randrange(300)))
    elif i % 4 == 1:
        data = bytearray(b"".join(random.choices(telling, k=random.randrange(60))))
    else:
        data = bytearray(random.choice(texts))
    for _ in range(random.randrange(8)):
        at = random.randrange(len(data) + 1)
        data[at:at + random.randrange(3)] = random.choice(telling)
    open(f"{out}/{i}", "wb").write(data)
PYTHON
if "$program" "$dir"/* >"$dir.out" 2>&1; then
	echo "ok - $inputs inputs"
	rm -f "$dir.out"
	exit 0
fi
for file in "$dir"/*; do
	"$program" "$file" >/dev/null 2>&1 || { echo "not ok - this input:"; od -c "$file" | head -40; "$program" "$file" 2>&1 | tail -20; break; }
done
rm -f "$dir.out"
exit 1
