//! What is undone in a text, and what is left alone.

use toxicity_text::normalization::{Change, Normalized, normalize};

/// What is sent, and what a reader sees.
const OBFUSCATED: &[(&str, &str)] = &[
    // Invisible characters.
    ("you id\u{200b}iot", "you idiot"),
    ("s\u{200d}t\u{200c}u\u{2060}p\u{feff}id", "stupid"),
    ("mo\u{ad}ron", "moron"),
    ("\u{202d}kill\u{202c} yourself", "kill yourself"),
    ("id\u{200e}iot\u{200f}", "idiot"),
    ("fu\u{fe0f}ck", "fuck"),
    ("id\u{e0061}\u{e0062}iot", "idiot"),
    ("lo\u{0}se\u{8}r", "loser"),
    ("you\u{2800}idiot", "you idiot"),
    ("you\u{3164}idiot", "you idiot"),
    // Piled-up and overlaid marks.
    (
        "i\u{316}\u{317}\u{318}\u{319}\u{31a}d\u{301}\u{302}\u{303}\u{304}i\u{300}ot",
        "idiot",
    ),
    ("s\u{336}t\u{336}u\u{336}p\u{336}i\u{336}d\u{336}", "stupid"),
    ("m\u{332}o\u{332}r\u{332}o\u{332}n\u{332}", "moron"),
    ("i\u{20e3}d\u{20e3}i\u{20e3}o\u{20e3}t\u{20e3}", "idiot"),
    // Styled letters.
    ("ｙｏｕ ｉｄｉｏｔ", "you idiot"),
    ("𝐲𝐨𝐮 𝓲𝓭𝓲𝓸𝓽", "you idiot"),
    ("𝔪𝔬𝔯𝔬𝔫", "moron"),
    ("𝚜𝚑𝟷𝚝", "shit"),
    ("ⓛⓞⓢⓔⓡ", "loser"),
    ("ⁱᵈⁱᵒᵗ", "idiot"),
    ("⒤⒟⒤⒪⒯", "idiot"),
    ("🅱️itch", "Bitch"),
    ("🅘🅓🅘🅞🅣", "IDIOT"),
    ("🄸🄳🄸🄾🅃", "IDIOT"),
    ("🇮 🇩 🇮 🇴 🇹", "IDIOT"),
    ("ﬁlth", "filth"),
    ("sh！t", "shit"),
    ("＄ｔｕｐｉｄ", "stupid"),
    // Look-alikes.
    ("іdіоt", "idiot"),
    ("уоu аrе а ѕtuріd mоrоn", "you are a stupid moron"),
    ("you ѕсоре", "you scope"),
    ("fцск you", "fuck you"),
    ("ваstard", "bastard"),
    ("ΙDΙΟΤ here", "IDIOT here"),
    ("stυpιd", "stupid"),
    ("fµck", "fuck"),
    ("ɪᴅɪᴏᴛ", "idiot"),
    ("ƒuck", "fuck"),
    ("mоrоп", "moron"),
    ("ІDIОТ", "IDIOT"),
    ("ᗰOᖇOᑎ", "MORON"),
    ("Ꮪtupid", "Stupid"),
    ("օffal", "offal"),
    ("biтch", "bitch"),
    // Spaced-out words.
    ("what an i d i o t you are", "what an idiot you are"),
    ("i.d.i.o.t", "idiot"),
    ("k-i-l-l yourself", "kill yourself"),
    ("S T U P I D!", "STUPID!"),
    ("f_u_c_k you", "fuck you"),
    ("m*o*r*o*n", "moron"),
    ("you l  o  s  e  r", "you loser"),
    ("f.u.c.k.you", "fuck.you"),
    ("a s s", "ass"),
    ("s h ! t", "shit"),
    ("i d i 0 t", "idiot"),
    ("i - d - i - o - t", "idiot"),
    ("k🔥i🔥l🔥l", "kill"),
    ("k\ni\nl\nl", "kill"),
    ("you are a T R O L L", "you are a TROLL"),
    ("you are an i d i o t I think", "you are an idiot I think"),
    ("д у р а к", "дурак"),
    // Digits and signs for letters.
    ("1d10t", "idiot"),
    ("@ss", "ass"),
    ("@sshole", "asshole"),
    ("@$$", "ass"),
    ("a$$", "ass"),
    ("a$$h0le", "asshole"),
    ("a55h01e", "asshole"),
    ("sh!t", "shit"),
    ("bullsh!t", "bullshit"),
    ("5tupid", "stupid"),
    ("5UCKING", "SUCKING"),
    ("4ss", "ass"),
    ("!diot", "idiot"),
    ("4ssh0le!", "asshole!"),
    ("$tupid", "stupid"),
    ("$hit", "shit"),
    ("b!tch", "bitch"),
    ("b1tch3s", "bitches"),
    ("B1TCH", "BITCH"),
    ("SH1T", "SHIT"),
    ("f4gg0t", "faggot"),
    ("r3t4rd", "retard"),
    ("m0r0n", "moron"),
    ("wh0re", "whore"),
    ("s1ut", "slut"),
    ("k1ll y0urself", "kill yourself"),
    ("pu55y", "pussy"),
    ("ni66er", "nigger"),
    ("b@stard", "bastard"),
    ("tw@t", "twat"),
    ("d!ck", "dick"),
    ("l0s3r", "loser"),
    ("ki11ing", "killing"),
    ("jacka55", "jackass"),
    ("b¡tch", "bitch"),
    ("s3x", "sex"),
    ("you,sh1t-head", "you,shit-head"),
    // Drawn-out letters.
    ("stuuuupid", "stupid"),
    ("fuuuuuck", "fuck"),
    ("asssss", "ass"),
    ("shiiiit", "shit"),
    ("killlll", "kill"),
    ("FUCKKKKK", "FUCK"),
    ("idiottttt", "idiot"),
    ("cooool", "cool"),
    ("faggggot", "faggot"),
    // Several at once.
    ("y0u ѕtuuuuріd i.d.1.o.t", "you stupid idiot"),
    ("ｂ１ｔｃｈ", "bitch"),
    ("𝐦\u{200b}0\u{200b}r\u{200b}0\u{200b}n", "moron"),
    ("f\u{200b} u\u{200b} c\u{200b} k", "fuck"),
];

/// Nothing of this is changed.
const ORDINARY: &[&str] = &[
    "",
    "I disagree, but that's fine :) See you at 3:30!",
    // Abbreviations, lists and other single letters.
    "The U.S.A. and the U.K., e.g. at 5 p.m., a.k.a. J.R.R. Tolkien, R.I.P.",
    "a b c d, x y z, A/B/C, 1 2 3, a) b) c)",
    "options a, b, c and d; plan A, B or C",
    "u r a friend, r u a fan? I c u",
    "vitamin B and C, x-y-z-axis, f(x) = a + b + x",
    "Type A B O blood groups, a a a a",
    "don't, I'm a b-side fan",
    // Numbers, units, names and codes with digits.
    "1st 2nd 3rd 4th 90s 1990s 5pm 10am 100k 3x 4x4 24/7 50-50 $5 US$100 A$20 5€ 10% #1 1,000.50",
    "mp3 H1N1 h1n1 C3PO R2D2 W3C PS4 Xbox360 covid19 k8s i18n l10n a11y utf8 sha1 x86 B2B G20 MH17 S01E05",
    "john123 me2 gr8 m8 l8r b4 2day 4chan 4ever 5people 4some 5hours 1dollar 7up U2 ur2",
    "v1.2.3 1.0.0-rc1 10:30am 192.168.0.1 WP:3RR f3a91c deadbeef01 550e8400-e29b-41d4-a716-446655440000 [3cdcf5f2-1ef4] 0xb53fdfdf",
    "see https://example.com/b1t/sh1t?x=a55h0le, www.s3x.example, me@b1tch.example, C:\\d0cs\\f1le.txt",
    "@ssmith @b1tch_hunter @john1doe #b1gdata #WWG1WGA #BoycottTwitter #F5FFFA dQw4w9WgXcQ",
    "the `$hit` of $query, $class, $this->name; -a -l -s; 1h30m, 2d12h, ctrl+c, books4kids, p*n*s",
    "$TSLA $PATH $5bn kr$ stop!you No!I Hello!How are you??!! wow!!! dinner@home C++ Google+",
    "f*ck and s**t cannot be known",
    "III VIII XIII zzz KKK AAA www.example.com hmm book success balloon",
    // Accents, other scripts, emoji.
    "Café, naïve, jalapeño, Übergröße, Škoda, Łódź, İstanbul, kız",
    "cafe\u{301} Vie\u{323}\u{302}t Nam",
    "Привет, как дела? Это ОК, а он где?",
    "сахар",
    "гора сор рот, PDF файл и VIPом не надо",
    "Καλημέρα, τι κάνεις; ΑΕΚ",
    "नमस्ते क्\u{200d}ष می\u{200c}خواهم \u{200f}שלום\u{200f} ចំណាំ\u{200b}ខ្មែរ",
    "你好！我很好。日本語の文は？ ㅋㅋㅋㅋ 안녕하세요 Tシャツ NBAの",
    "👍🏽 👨\u{200d}👩\u{200d}👧 1\u{fe0f}\u{20e3} ❤\u{fe0f} \u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} (╯°□°)╯︵ ┻━┻",
    "ɓera ɗan ƙasa ŋutsu ɖevi nyɔnu",
    "5 µm, Δx, α particles, 10 kΩ, m², ½ cup, ™ © ® № 5 ℃ 1º nª “quotes” — dash… • bullet",
];

fn undone(text: &str) -> String {
    normalize(text).map_or_else(|| text.to_owned(), |normalized| normalized.text)
}

#[test]
fn obfuscation_is_undone() {
    let wrong: Vec<_> = OBFUSCATED
        .iter()
        .map(|&(text, expected)| (text, undone(text), expected))
        .filter(|(_, text, expected)| text != expected)
        .collect();
    assert!(wrong.is_empty(), "of {}: {wrong:#?}", OBFUSCATED.len());
}

#[test]
fn ordinary_text_is_left_alone() {
    let changed: Vec<_> = ORDINARY
        .iter()
        .filter_map(|&text| Some((text, normalize(text)?)))
        .map(
            |(
                text,
                Normalized {
                    text: changed,
                    changes,
                    ..
                },
            )| (text, changed, changes),
        )
        .collect();
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn says_what_was_done() {
    let normalized = normalize("y0u ѕtuuuuріd i.d.1.o.t\u{200b} ｆool").expect("it is obfuscated");
    assert_eq!(normalized.text, "you stupid idiot fool");
    let changes: Vec<_> = normalized.changes.iter().collect();
    assert_eq!(
        changes,
        [
            (Change::Invisible, 1),
            (Change::Compatibility, 1),
            (Change::Homoglyph, 3),
            (Change::Spacing, 1),
            (Change::Leet, 2),
            (Change::Repetition, 1),
        ]
    );
    assert_eq!(normalized.changes.count(Change::Leet), 2);
}

#[test]
fn a_word_is_found_again_in_the_original() {
    let original = "well, you i.d.i.0.t, ѕtuuuріd \u{200b}ｆool";
    let normalized = normalize(original).expect("it is obfuscated");
    let found = |word: &str| {
        let begin = normalized.text.find(word).expect("the word is there");
        &original[normalized.original_range(begin..begin + word.len())]
    };
    assert_eq!(found("well"), "well");
    assert_eq!(found("idiot"), "i.d.i.0.t");
    assert_eq!(found("stupid"), "ѕtuuuріd");
    assert_eq!(found("fool"), "ｆool");
    assert_eq!(normalized.original_range(0..usize::MAX), 0..original.len());
    assert_eq!(normalized.original_range(3..3), 3..3);
}

#[test]
fn a_text_of_nothing_visible_becomes_empty() {
    let normalized = normalize("\u{200b}\u{2060}").expect("it is obfuscated");
    assert_eq!(normalized.text, "");
    assert_eq!(normalized.original_range(0..0), 6..6);
}
