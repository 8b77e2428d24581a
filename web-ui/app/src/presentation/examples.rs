//! Texts to try the page with.

/// A text to try the page with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example {
    /// What it shows.
    pub name: &'static str,
    /// The text itself.
    pub text: &'static str,
}

/// From harmless to hard to judge.
pub const EXAMPLES: [Example; 5] = [
    Example {
        name: "A polite disagreement",
        text: "I see it differently. The study covers only two cities, so I would not draw that conclusion from it \
               yet. Do you know of any newer data?",
    },
    Example {
        name: "An insult",
        text: "Honestly, you are a stupid, worthless idiot. The rest of the article was fine though, thanks for \
               sharing the sources.",
    },
    Example {
        name: "A veiled threat",
        text: "Nice house you have on Miller Street. It would be a shame if something happened to it one night, \
               wouldn't it?",
    },
    Example {
        name: "Quoted abuse",
        text: "Yesterday a stranger wrote to me: \"Shut up, you pathetic loser.\"\nI reported the message. Please \
               do the same if you get one.",
    },
    Example {
        name: "A long article",
        text: LONG_ARTICLE,
    },
];

/// More tokens than fit into one window of the bundled model, with the insult far from the beginning.
const LONG_ARTICLE: &str = "\
The council met on Tuesday evening to talk about the new tram line. For almost two hours residents of the northern \
districts described how long their way to work takes today, how often the bus is late, and what a direct connection \
would change for them. An engineer showed three possible routes on a map and explained what each would cost, how many \
trees would have to be moved, and how long the streets would stay closed.

The route along the river is the shortest, but the ground there is soft and the old bridge would have to be \
strengthened first. The route past the hospital reaches the most people; it needs a tunnel of four hundred metres. The \
third one follows the old railway line. It is the cheapest of all, because the land already belongs to the city, and \
work could begin next spring if the council agrees before the summer break.

Not everyone was convinced. Shop owners on Market Street fear two years without customers. A teacher asked who \
would make sure that children can cross safely while the road is a building site. One man stood up and shouted: \
'Shut up, you stupid liar! You are a complete idiot and everyone hates you!' He was asked to leave the room.

After that the discussion went on calmly. The mayor promised to publish all figures by the end of the month, together \
with the comments of the independent reviewers. A second meeting is planned for the ninth of June in the town hall. \
Everyone who wants to speak can put their name on the list at the entrance or send a letter before that day.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_article_takes_several_windows() {
        // Every word is at least one token; the window of the bundled model holds 190 of them.
        let words = LONG_ARTICLE.split_whitespace().count();
        assert!(words > 2 * 128, "{words} words");
        assert!(LONG_ARTICLE.chars().count() < 20_000);
    }

    #[test]
    fn names_and_texts_are_distinct() {
        for (index, example) in EXAMPLES.iter().enumerate() {
            for other in &EXAMPLES[index + 1..] {
                assert!(example.name != other.name && example.text != other.text);
            }
        }
    }
}
