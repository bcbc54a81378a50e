//! Random changes to a text.

/// A small generator of pseudorandom numbers (xorshift64*).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    pub fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.below(from.len())]
    }
}

/// Pieces of text that are significant to a token parser.
const PIECES: &[&str] = &[
    "\"",
    "\\",
    "\\u0061",
    "\\u0000",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    " ",
    "null",
    "true",
    "0",
    "-1",
    "1e9",
    "1311281470",
    "\"aud\":",
    "\"\\u0061ud\":",
    "\"exp\":",
    "\"nonce\":\"n\",",
    "\"iss\":",
    "\"scope\":\"read:patients\",",
    "\"typ\":\"ID\",",
    "\"typ\":\"dpop+jwt\",",
    "\"typ\":\"logout+jwt\",",
    "\"events\":{},",
    "\"http://schemas.openid.net/event/backchannel-logout\":{},",
    "\"cnf\":{},",
    "\"azp\":\"my_client_id\",",
    "https://example.com/health-api",
    "my_client_id",
    "[\"my_client_id\"]",
    "RS256",
    "PS256",
    "RS384",
    "RS512",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
    "Ed25519",
    "HS256",
    "none",
    "\"alg\":\"RS256\",",
    "\"crit\":[],",
    "\"kid\":\"key-a\",",
    "\"kid\":\"key-e\",",
    "key-b",
    "\"d\":\"AQ\",",
    "\"use\":\"sig\",",
    "\"key_ops\":[\"verify\"],",
    "P-256",
    "\"htm\":\"POST\",",
    "POST",
    "%7E",
    "%2F",
    ":443",
    "?q",
    "#f",
    "/",
    "\u{f6}",
    "\0",
    "\n",
];

/// Makes a few changes to a text.
pub fn mutate(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(7) {
            0 => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
            3 => {
                let piece = random.pick(PIECES).bytes();
                bytes.splice(at..at, piece);
            }
            4 => {
                let end = (at + random.below(24)).min(bytes.len());
                bytes.drain(at..end);
            }
            5 => {
                let end = (at + random.below(24)).min(bytes.len());
                let copy = bytes[at..end].to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            _ => {
                let end = (at + random.below(12)).min(bytes.len());
                let piece = random.pick(PIECES).bytes();
                bytes.splice(at..end, piece);
            }
        }
        if bytes.is_empty() {
            bytes.push(b'{');
        }
    }
    bytes
}
