fn main() {
    let key = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
    use aws_lc_rs::signature::KeyPair as _;
    let n: Vec<u8> = key.public_key().modulus().big_endian_without_leading_zero().to_vec();
    let e = [1, 0, 1];
    let rng = aws_lc_rs::rand::SystemRandom::new();
    let mut sig = vec![0; 256];
    let msg = b"hello";
    key.sign(&aws_lc_rs::signature::RSA_PKCS1_SHA256, &rng, msg, &mut sig).unwrap();
    use sha2::Digest as _;
    let hash = claimgate_rsa::Sha256Digest(sha2::Sha256::digest(msg).into());
    let ours = claimgate_rsa::PublicKey::portable(&n, &e).unwrap();
    let best = claimgate_rsa::PublicKey::new(&n, &e).unwrap();
    assert!(ours.verify_pkcs1v15(&hash, &sig).is_ok());
    assert!(best.verify_pkcs1v15(&hash, &sig).is_ok());
    println!("{}", best.kernel());
    let ring = ring::signature::RsaPublicKeyComponents { n: &n[..], e: &e[..] };
    let aws = aws_lc_rs::signature::ParsedPublicKey::new(
        &aws_lc_rs::signature::RSA_PKCS1_2048_8192_SHA256,
        key.public_key().as_ref(),
    )
    .unwrap();
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..400 {
        let t = std::time::Instant::now();
        for _ in 0..8 {
            ours.verify_pkcs1v15(&hash, &sig).unwrap();
        }
        times[0].push(t.elapsed().as_nanos() / 8);
        let t = std::time::Instant::now();
        for _ in 0..8 {
            best.verify_pkcs1v15(&hash, &sig).unwrap();
        }
        times[1].push(t.elapsed().as_nanos() / 8);
        let t = std::time::Instant::now();
        for _ in 0..8 {
            ring.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, msg, &sig).unwrap();
        }
        times[2].push(t.elapsed().as_nanos() / 8);
        let t = std::time::Instant::now();
        for _ in 0..8 {
            aws.verify_sig(msg, &sig).unwrap();
        }
        times[3].push(t.elapsed().as_nanos() / 8);
    }
    for (name, t) in ["portable", "best", "ring", "aws"].iter().zip(&mut times) {
        t.sort();
        println!("{name} {}", t[t.len() / 10]);
    }
    let t = std::time::Instant::now();
    for _ in 0..100 {
        std::hint::black_box(claimgate_rsa::PublicKey::new(&n, &e).unwrap());
    }
    println!(
        "key {} ns, {} bytes",
        t.elapsed().as_nanos() / 100,
        size_of::<claimgate_rsa::PublicKey>()
    );
}
