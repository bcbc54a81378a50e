#!/usr/bin/env python3
"""Writes keys.txt: keys of the sizes around the boundaries of octets, limbs and
vectors, and OpenSSL's signatures of the message "claimgate" by them.

Each line has the bits of n, then n and d in hexadecimal, and the signatures by
RS256, RS384, RS512, PS256, PS384 and PS512. The keys are made of OpenSSL's primes
here, because `openssl genrsa` makes no moduli of an odd number of bits.
"""
import pathlib
import subprocess
import tempfile

SIZES = [2048, 2049, 2050, 2055, 2056, 2057, 2111, 2112, 2113,
         2175, 2176, 2177, 3071, 3072, 3073, 4095, 4096]
E = 65_537


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


def prime(bits):
    return int(openssl("prime", "-generate", "-bits", str(bits)))


def key(bits):
    while True:
        p, q = prime((bits + 1) // 2), prime(bits // 2)
        n, phi = p * q, (p - 1) * (q - 1)
        if n.bit_length() == bits and p != q and phi % E != 0:
            return n, pow(E, -1, phi), p, q


def main():
    lines = []
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        (directory / "message").write_text("claimgate")
        for bits in SIZES:
            n, d, p, q = key(bits)
            numbers = [0, n, E, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
            fields = "".join(f"f{i}=INTEGER:{number}\n" for i, number in enumerate(numbers))
            (directory / "conf").write_text(f"asn1=SEQUENCE:key\n[key]\n{fields}")
            openssl("asn1parse", "-genconf", directory / "conf", "-noout", "-out", directory / "der")
            openssl("rsa", "-inform", "DER", "-in", directory / "der", "-out", directory / "key")
            line = [str(bits), f"{n:x}", f"{d:x}"]
            line = [line[0]] + ["0" * (len(x) % 2) + x for x in line[1:]]
            for padding in ["pkcs1"], ["pss", "-sigopt", "rsa_pss_saltlen:digest"]:
                for digest in "sha256", "sha384", "sha512":
                    mode = "rsa_padding_mode:" + padding[0]
                    line.append(openssl("dgst", "-" + digest, "-sign", directory / "key", "-sigopt",
                                        mode, *padding[1:], directory / "message").hex())
            lines.append(" ".join(line) + "\n")
    pathlib.Path(__file__).with_name("keys.txt").write_text("".join(lines))


main()
