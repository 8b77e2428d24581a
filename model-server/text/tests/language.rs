//! How well languages are told apart on comments of one sentence, in the languages that the Perspective API knows and
//! some it does not.

use toxicity_text::language::detect;

const SENTENCES: &[(&str, &str)] = &[
    ("en", "I really don't think that's a fair thing to say about her."),
    ("en", "Thanks, this was exactly what I was looking for!"),
    ("en", "You are such an idiot, nobody asked for your opinion."),
    ("en", "Can someone explain why the page keeps crashing?"),
    ("en", "lol that's hilarious"),
    ("en", "Shut up and go home."),
    ("en", "The new update broke everything again."),
    ("en", "I'll kill you if you come here again"),
    ("fr", "Je ne suis pas du tout d'accord avec ce que vous dites."),
    ("fr", "Merci beaucoup pour votre aide, c'est très gentil."),
    ("fr", "Tu es vraiment un idiot, personne ne t'aime."),
    ("fr", "Ferme ta gueule et va-t'en."),
    ("fr", "C'est la meilleure vidéo que j'ai vue cette année !"),
    ("fr", "Est-ce que quelqu'un peut m'expliquer ce problème ?"),
    ("fr", "Quelle honte pour notre pays"),
    ("es", "No estoy de acuerdo con lo que dices."),
    ("es", "Muchas gracias por compartir esta información."),
    ("es", "Eres un idiota, cállate de una vez."),
    ("es", "¿Alguien sabe cómo arreglar este problema?"),
    ("es", "Qué vergüenza de gobierno tenemos"),
    ("es", "Me encanta esta canción, es la mejor del año."),
    ("es", "Vete a la mierda"),
    ("de", "Ich bin überhaupt nicht deiner Meinung."),
    ("de", "Vielen Dank für die ausführliche Erklärung!"),
    ("de", "Du bist so ein Idiot, halt endlich die Klappe."),
    ("de", "Kann mir jemand sagen, warum das nicht funktioniert?"),
    ("de", "Das ist doch alles gelogen."),
    ("de", "Die neue Version gefällt mir viel besser als die alte."),
    ("de", "Verpiss dich"),
    ("it", "Non sono per niente d'accordo con te."),
    ("it", "Grazie mille per la spiegazione, molto chiara."),
    ("it", "Sei proprio un cretino, stai zitto."),
    ("it", "Qualcuno sa come si risolve questo problema?"),
    ("it", "Che vergogna per il nostro paese"),
    ("it", "Questa è la canzone più bella dell'anno."),
    ("it", "Vai a quel paese, stronzo"),
    ("pt", "Eu não concordo nada com o que você disse."),
    ("pt", "Muito obrigado pela ajuda, foi muito útil."),
    ("pt", "Você é um idiota, cala a boca."),
    ("pt", "Alguém sabe como resolver este problema?"),
    ("pt", "Que vergonha deste governo"),
    ("pt", "Adorei essa música, é a melhor do ano."),
    ("pt", "Vai se foder"),
    ("ru", "Я совершенно не согласен с тем, что ты сказал."),
    ("ru", "Большое спасибо за помощь, всё работает."),
    ("ru", "Ты полный идиот, заткнись уже."),
    ("ru", "Кто-нибудь знает, как решить эту проблему?"),
    ("ru", "Какой позор для страны"),
    ("ru", "Иди отсюда, придурок"),
    ("ar", "أنا لا أتفق معك على الإطلاق."),
    ("ar", "شكرا جزيلا على المساعدة، كان ذلك مفيدا جدا."),
    ("ar", "أنت غبي جدا، اخرس من فضلك."),
    ("ar", "هل يعرف أحد كيف نحل هذه المشكلة؟"),
    ("ar", "يا له من عار على بلدنا"),
    ("ar", "هذه أجمل أغنية سمعتها هذا العام"),
    ("zh", "我完全不同意你说的话。"),
    ("zh", "非常感谢你的帮助，问题解决了。"),
    ("zh", "你真是个白痴，闭嘴吧。"),
    ("zh", "有人知道怎么解决这个问题吗？"),
    ("zh", "这个政府真丢人"),
    ("zh", "今天天气真好"),
    ("cs", "Vůbec s tebou nesouhlasím."),
    ("cs", "Moc děkuji za pomoc, bylo to velmi užitečné."),
    ("cs", "Jsi úplný idiot, drž už hubu."),
    ("cs", "Ví někdo, jak vyřešit tento problém?"),
    ("cs", "To je ostuda pro naši zemi"),
    ("cs", "Tahle písnička je nejlepší letošního roku."),
    ("nl", "Ik ben het helemaal niet met je eens."),
    ("nl", "Hartelijk bedankt voor de uitleg, heel duidelijk!"),
    ("nl", "Je bent echt een idioot, hou je mond."),
    ("nl", "Weet iemand hoe je dit probleem oplost?"),
    ("nl", "Wat een schande voor ons land"),
    ("nl", "Dit is het mooiste liedje van het jaar."),
    ("id", "Saya sama sekali tidak setuju dengan kamu."),
    ("id", "Terima kasih banyak atas bantuannya, sangat berguna."),
    ("id", "Kamu benar-benar bodoh, diam saja."),
    ("id", "Apakah ada yang tahu cara menyelesaikan masalah ini?"),
    ("id", "Memalukan sekali pemerintah ini"),
    ("id", "Lagu ini yang paling bagus tahun ini."),
    ("ja", "あなたの言うことには全然賛成できません。"),
    ("ja", "助けてくれてありがとうございます。"),
    ("ja", "お前は本当にバカだな、黙れ。"),
    ("ja", "この問題の解決方法を知っている人はいますか？"),
    ("ja", "恥ずかしい政府だ"),
    ("ja", "今日はいい天気ですね"),
    ("ko", "저는 당신의 말에 전혀 동의하지 않습니다."),
    ("ko", "도와주셔서 정말 감사합니다."),
    ("ko", "너 진짜 바보구나, 입 닥쳐."),
    ("ko", "이 문제를 어떻게 해결하는지 아는 사람 있나요?"),
    ("ko", "정부가 정말 부끄럽다"),
    ("ko", "오늘 날씨가 좋네요"),
    ("pl", "Zupełnie się z tobą nie zgadzam."),
    ("pl", "Dziękuję bardzo za pomoc, wszystko działa."),
    ("pl", "Jesteś kompletnym idiotą, zamknij się."),
    ("pl", "Czy ktoś wie, jak rozwiązać ten problem?"),
    ("pl", "Co za wstyd dla naszego kraju"),
    ("pl", "To najlepsza piosenka tego roku."),
    ("hi", "मैं आपकी बात से बिल्कुल सहमत नहीं हूँ।"),
    ("hi", "मदद के लिए बहुत बहुत धन्यवाद।"),
    ("hi", "तुम एकदम बेवकूफ हो, चुप रहो।"),
    ("hi", "क्या किसी को पता है कि इस समस्या को कैसे हल करें?"),
    ("hi", "सरकार को शर्म आनी चाहिए"),
    ("hi", "आज मौसम बहुत अच्छा है"),
    ("sv", "Jag håller verkligen inte med dig om det här."),
    ("sv", "Tack så mycket för hjälpen, det fungerar nu."),
    ("tr", "Söylediklerine hiç katılmıyorum."),
    ("tr", "Yardımınız için çok teşekkür ederim."),
    ("da", "Jeg er slet ikke enig med dig i det her."),
    ("fi", "En ole lainkaan samaa mieltä kanssasi."),
    ("ro", "Nu sunt deloc de acord cu tine în privința asta."),
    ("vi", "Tôi hoàn toàn không đồng ý với bạn."),
    ("hu", "Egyáltalán nem értek egyet veled."),
    ("uk", "Я зовсім не згоден з тим, що ти сказав."),
    ("el", "Δεν συμφωνώ καθόλου μαζί σου."),
];

#[test]
fn what_is_called_reliable_is_right() {
    for (code, sentence) in SENTENCES {
        if let Some(detection) = detect(sentence).filter(|detection| detection.is_reliable) {
            assert_eq!(detection.code, *code, "{sentence}");
        }
    }
}

#[test]
fn most_sentences_are_recognised_and_half_of_them_reliably() {
    let found: Vec<_> = SENTENCES
        .iter()
        .filter_map(|(code, text)| Some((*code, detect(text)?)))
        .collect();
    let right = found
        .iter()
        .filter(|(code, detection)| detection.code == *code)
        .count();
    let reliable = found
        .iter()
        .filter(|(_, detection)| detection.is_reliable)
        .count();
    let total = SENTENCES.len();
    assert!(right * 100 >= total * 87, "{right} of {total}");
    assert!(reliable * 100 >= total * 50, "{reliable} of {total}");
}

#[test]
fn hindi_in_latin_letters_is_not_taken_for_another_language() {
    for sentence in [
        "Main aapki baat se bilkul sahmat nahi hoon.",
        "Madad ke liye bahut bahut dhanyavaad.",
        "Tum ekdum bewakoof ho, chup raho.",
        "Kya kisi ko pata hai ki is samasya ko kaise hal karein?",
    ] {
        assert!(
            detect(sentence).is_none_or(|detection| !detection.is_reliable),
            "{sentence}"
        );
    }
}
