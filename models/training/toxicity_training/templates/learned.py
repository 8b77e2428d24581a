"""Templates that the model learns from.

Each is a sentence with `{plural}`, `{singular}` or `{adjective}` for a group and other names for words of `WORDS`. They
come in kinds that differ in what is meant and not in the words alone, so that naming a group, quoting abuse or swearing
at a printer says nothing by itself. No sentence is taken from a published test suite.
"""

import random

from ..labels import LABELS
from ..rows import UNKNOWN, Row
from .groups import LEARNED, Group

WORDS = {
    "job": "teacher nurse doctor lawyer plumber writer singer farmer student neighbour coach judge driver cook painter engineer "
    "librarian pilot scientist actor soldier baker journalist senator dancer accountant",
    "name": "Anna Omar Grace David Mei Carlos Fatima Peter Aisha Tom Ruth Ivan Priya Sam Lena Kofi Maria Jack Noor Emma",
    "city": "Boston Lagos London Berlin Toronto Delhi Chicago Sydney Paris Dublin Houston Nairobi Vienna Madrid",
    "good": "kind brilliant generous friendly thoughtful brave patient funny honest lovely warm hard-working wonderful gentle smart",
    "act": "dance read travel cook sing work study paint run play chess garden write listen teach",
    "thing": "a film|a book|a documentary|an article|a podcast|a report|a festival|a conference|a school project|a museum exhibit",
    "vermin": "rats|cockroaches|parasites|vermin|animals|pigs|maggots|a disease|a plague|a cancer|apes|leeches|filth|trash|garbage|insects|rabid dogs|subhuman|"
    "savages|scum",
    "bad": "disgusting|worthless|stupid|inferior|evil|dirty|filthy|vile|pathetic|repulsive|lazy|dishonest|dangerous|sick|revolting|mentally weak|dumb|useless|"
    "greedy|subhuman|ugly|criminal by nature|perverted|untrustworthy|backward|primitive|violent|retarded|hideous|nasty",
    "crime": "steal|lie|cheat|rape|rob people|breed like animals|ruin everything|live off our taxes|destroy our country|smell|spread disease|"
    "corrupt our children|take our jobs|leech off the rest of us|commit all the crime|hate us|murder people",
    "harm": "shot|hanged|gassed|beaten|burned alive|exterminated|wiped out|put down|stabbed|drowned|executed|slaughtered|killed|lynched|castrated",
    "punish": "deported|locked up|thrown out|banned|sterilised|sent back|kept away from us|fired|put in camps|denied the vote|removed from this country|"
    "kept out of our schools",
    "hate": "hate|despise|detest|loathe|can't stand|cannot tolerate|am disgusted by|am sick of|want nothing to do with",
    "curse": "fucking|damn|goddamn|bloody|shitty|fucken",
    "insult": "idiot|moron|loser|piece of trash|clown|coward|liar|pig|dumbass|asshole|jerk|scumbag|bastard|imbecile|piece of shit|dickhead",
    "object": "printer|laptop|cereal|traffic|weather|mosquitoes|homework|Mondays|queue|keyboard|alarm clock|update|spreadsheet|sofa|coffee|train|cucumbers|"
    "parking meter|bug|battery|tomatoes|shoes|headphones|slow wifi|winter",
    "trade": "bankers|politicians|landlords|telemarketers|referees|journalists|capitalists|communists|developers|hipsters|football fans|smokers|"
    "vegans|cyclists|estate agents|artists|scientists",
    "side": "church|party|team|neighbourhood|parish|union|company|class|choir|band",
}
WORDS = {name: found.split("|") if "|" in found else found.split() for name, found in WORDS.items()}
WORDS["act"] = (
    "dance|read novels|travel|cook|sing|work late|study|paint|go running|play chess|garden|write poems|listen to jazz|teach|watch football".split(
        "|"
    )
)

# Labels by kind: 1, 0, or None for what is left open.
LABELS_OF = {
    "derogation": dict(toxic=1, severe_toxic=None, obscene=0, threat=0, insult=1, identity_hate=1),
    "dehumanisation": dict(toxic=1, severe_toxic=None, obscene=0, threat=0, insult=1, identity_hate=1),
    "implied hate": dict(toxic=1, severe_toxic=0, obscene=0, threat=0, insult=None, identity_hate=1),
    "exclusion": dict(toxic=1, severe_toxic=0, obscene=0, threat=0, insult=None, identity_hate=1),
    "group threat": dict(toxic=1, severe_toxic=None, obscene=0, threat=1, insult=None, identity_hate=1),
    "profane hate": dict(toxic=1, severe_toxic=None, obscene=1, threat=0, insult=1, identity_hate=1),
    "denied worth": dict(toxic=1, severe_toxic=0, obscene=0, threat=0, insult=None, identity_hate=1),
    "neutral": dict.fromkeys(LABELS, 0),
    "positive": dict.fromkeys(LABELS, 0),
    "negated hate": dict.fromkeys(LABELS, 0),
    "counter speech": dict.fromkeys(LABELS, 0),
    "reported": dict.fromkeys(LABELS, 0),
    "affirmed worth": dict.fromkeys(LABELS, 0),
    "object": dict(toxic=0, severe_toxic=0, obscene=0, threat=0, insult=0, identity_hate=0),
    "friendly swearing": dict(toxic=None, severe_toxic=0, obscene=1, threat=0, insult=0, identity_hate=0),
    "reclaimed": dict(toxic=0, severe_toxic=0, obscene=None, threat=0, insult=0, identity_hate=0),
    "trade": dict(toxic=None, severe_toxic=0, obscene=None, threat=0, insult=None, identity_hate=0),
    "personal insult": dict(toxic=1, severe_toxic=None, obscene=None, threat=0, insult=1, identity_hate=0),
    "personal threat": dict(toxic=1, severe_toxic=None, obscene=None, threat=1, insult=None, identity_hate=0),
    "harmless violence": dict.fromkeys(LABELS, 0),
}

TEMPLATES = {
    "derogation": """
        I {hate} {plural}
        I really {hate} {plural}, all of them
        honestly I {hate} every {adjective} person I meet
        {plural} are {bad}
        {plural} are so {bad}
        all {plural} are {bad} and {bad}
        most {plural} are {bad}, let's be real
        you can't trust {plural}, they {crime}
        {plural} {crime}, everyone knows it
        of course they {crime}, they are {plural}
        she is {singular}, so naturally she is {bad}
        he's {singular}, what did you expect, they {crime}
        another {bad} {adjective} person on the news
        typical {plural}: {bad} and {bad}
        nobody {crime} like {plural} do
        why are {plural} always so {bad}?
        is it just me or are {plural} {bad}
        my opinion? {plural} are {bad}.
        {plural} disgust me
        being {adjective} is {bad}
        the more {plural} I meet, the more I {hate} them
        I moved away because my street filled up with {plural}, they are {bad}
        nothing good ever came from {plural}
        look at {plural}. They {crime}.
        I worked with {plural} for years. Trust me, they're {bad}.
        I don't like {adjective} people, they {crime}
        you are just {singular}, shut up
        fuck {plural}
        screw all {plural}
        to hell with {plural}
        I hope you never have to live near {plural}, {bad} lot
        only {singular} would be that {bad}
        {plural}, what a sorry excuse for people
        I've never seen anything as {bad} as {plural}
        if there is one thing I {hate}, it's {plural}
        there's a reason everyone thinks {plural} are {bad}
        you sound like {singular}, so {bad}
        what do you call a bunch of {plural}? A bunch of {vermin}.
        """,
    "dehumanisation": """
        {plural} are {vermin}
        {plural} are nothing but {vermin}
        to me {plural} are {vermin} and always will be
        {plural}? More like {vermin}.
        they aren't people, they're {plural}
        {plural} live like {vermin}
        these {plural} are {vermin} that {crime}
        calling {plural} {vermin} is an insult to {vermin}
        our city is infested with {plural}
        an infestation of {plural} is what we have
        {plural} are barely human
        there is nothing human about {plural}
        {plural} are a stain on this earth
        """,
    "implied hate": """
        funny how crime went up the year {plural} moved in
        every time {plural} show up, something goes missing
        the world would be a better place without {plural}
        imagine how nice this town was before {plural} came
        I wouldn't let my children near {plural}
        {plural} should know their place
        {plural} should be grateful that we even let them speak
        if {plural} want respect they can start by leaving
        you know how {plural} are, count your fingers after you shake hands
        I'd rather die than have {singular} in my family
        my dog has more sense than {plural}
        one {adjective} boss and the company is finished
        no wonder he failed, he was raised by {plural}
        hide your wallet, here come {plural}
        somebody had to hire {plural} to fill the quota, because merit would never do it
        they let {plural} vote, that's where it all went wrong
        you can take {plural} out of the gutter but not the gutter out of {plural}
        {plural} are fine, as long as they stay far away from here
        why would anyone want to be friends with {singular}
        it's not a coincidence that every failing school is full of {plural}
        {plural} and intelligence don't go together
        putting {singular} in charge is like letting a toddler drive
        evolution must have skipped {plural}
        {plural} only get hired because bosses are scared of them
        I'd feel safer if {plural} lived somewhere else
        we all know why {plural} never pay for anything
        this used to be a decent country, then they let in {plural}
        call it what you like, {plural} just aren't like us
        the brain of {singular} must be the size of a pea
        {plural} should stick to what they're good for, serving us
        don't cry about it, {plural} had it coming
        it takes ten {plural} to do the work of one of us
        it's natural to feel sick when you see {plural} kiss
        raising a child as {singular} is abuse
        {plural} breed and we pay
        """,
    "exclusion": """
        {plural} should be {punish}
        all {plural} must be {punish} now
        {plural} don't belong here
        {plural} have no place in our {side}
        we don't want {plural} in this country
        keep {plural} out of our {side}
        no {plural} allowed near my family
        {plural} do not deserve the same rights as us
        it is time that {plural} are {punish}
        our {side} would be better if {plural} were {punish}
        go back to where you came from, {plural}
        {plural} shouldn't be allowed to have children
        ban {plural}. all of them.
        {plural} ought to be {punish} before it's too late
        get rid of {plural} and half our problems are solved
        """,
    "group threat": """
        {plural} should be {harm}
        all {plural} deserve to be {harm}
        I will kill every one of you {plural}
        let's kill {plural}
        I want to see {plural} {harm}
        someone needs to get a gun and deal with {plural}
        I'm going to beat up the next {adjective} person I see
        {plural} will be {harm}, one by one
        the only good {plural} are dead ones
        {plural} need to be {harm}, simple as that
        death to {plural}
        I can't wait for the day when {plural} are {harm}
        if I see {singular} around here again I'll break some bones
        burn down every house where {plural} live
        hope {plural} get {harm}
        {plural} had better watch their backs, we are coming for them
        kill all {plural}
        exterminate {plural}
        """,
    "profane hate": """
        fuck all {plural}, {curse} {vermin}
        {curse} {plural} ruin everything
        I {curse} hate {plural}
        {plural} are {curse} {bad}
        get the fuck out of my country, {plural}
        these {curse} {plural} {crime}
        shut up you {curse} {adjective} {insult}
        {plural} can go fuck themselves
        I'm so {curse} tired of {plural} and their shit
        all {plural} are assholes
        what a bunch of {curse} {vermin}, those {plural}
        """,
    "denied worth": """
        {plural} are not worth our time
        {plural} don't deserve respect
        {plural} will never be equal to us
        I will never accept {plural}
        there isn't a single decent one among {plural}
        {plural} aren't welcome anywhere
        nobody needs {plural}
        {plural} have never contributed anything to the world
        no {adjective} person has ever been honest
        I don't see why anyone should help {plural}
        I wouldn't shed a tear if {plural} disappeared
        I never met one of {plural} who wasn't {bad}
        """,
    "neutral": """
        {name} is {singular}
        {name} is {singular} from {city}
        my neighbour is {singular}
        I am {singular}
        I'm {singular} and I {act}
        I am {singular} who likes to {act}
        {singular} moved in next door
        {plural} live in {city} too
        many {plural} came to the meeting on Tuesday
        the survey asked {plural} about housing and transport
        there is {thing} about {plural} in {city}
        {name} wrote {thing} about {plural}
        I talked to {singular} on the train
        the {adjective} {job} answered our questions
        {name} is a {adjective} {job}
        my {adjective} {job} called this morning
        as {singular}, I vote in every election
        the new law concerns {plural}
        {plural} make up about a tenth of the population
        the article compares how {plural} and {other_plural} {act}
        both {plural} and {other_plural} were invited
        {name} told us that she is {singular}
        are there many {plural} in your {side}?
        the history of {plural} in {city}
        you are {singular}, right?
        he's {singular}, I think
        what do {plural} think of the new tax?
        some {plural} {act}, others don't
        the doctor asked whether I was {singular}
        I was born {adjective}
        my daughter came out as {singular} last year
        {singular} and {other_singular} walk into a shop to buy bread
        my best friend married {singular}
        {plural}
        {adjective}
        I know several {plural}
        {plural} were mentioned in the second chapter
        a group of {plural} opened a restaurant near the station
        she identifies as {singular}
        the {job} is {singular}
        statistics on {plural} are in table 3
        what is it like to be {singular} in {city}?
        {name}, {singular}, won the local election
        """,
    "positive": """
        I love {plural}
        {plural} are {good}
        {plural} are {good} and {good} people
        I'm proud to be {singular}
        being {adjective} is beautiful
        my {adjective} friends are so {good}
        {plural} deserve respect and equal rights
        we welcome {plural} in our {side}
        {plural} make this country better
        thank you to all {plural} who helped us
        {name} is {singular} and the most {good} {job} I know
        {name} is a {good} {adjective} {job}
        nothing but respect for {plural}
        I admire {plural} who speak up
        happy to have {plural} as neighbours
        {plural} are people like you and me
        it is great that {plural} get more roles in films
        {plural} are welcome here
        {singular} can be a great {job}
        I wish more {plural} would run for office
        hug {singular} today
        celebrating {plural} and their achievements
        so glad our {side} has a {adjective} {job} now
        we need more {plural} like {name}
        have a lovely day, dear {plural}
        I wish {plural} all the best for the new year
        {plural} have earned every bit of this success
        I could listen to {plural} tell their stories for hours
        the best {job} I ever had was {singular}
        lucky to have {singular} as my partner
        watching {plural} win made my week
        {name}, who is {singular}, is the kindest soul I know
        here's to {plural} and everything they do for this town
        cheers to all the {adjective} parents out there
        God bless {plural}
        {plural} rock
        """,
    "negated hate": """
        I don't hate {plural}
        I have never hated {plural}
        {plural} are not {bad}
        {plural} aren't {vermin}, they are human beings
        nobody should say that {plural} are {bad}
        it's wrong to think {plural} {crime}
        no {adjective} person deserves to be {harm}
        {plural} should never be {punish}
        I would never say {plural} are {bad}
        it isn't true that {plural} {crime}
        not all {plural} {crime}, in fact hardly anyone does
        we must not let {plural} be {harm}
        {plural} don't {crime}. That's a myth.
        {plural} must never again be {harm}
        I can't see how anyone could hate {plural}
        I'm not saying that {plural} are {bad}
        nothing about {plural} is {bad}
        {plural} never {crime}, whatever they tell you
        the idea that {plural} are {bad} is nonsense
        who told you that {plural} {crime}? It is not so.
        I used to think {plural} were {bad}. I was wrong.
        far from being {bad}, {plural} are {good}
        it would be unfair to call {plural} {bad}
        {plural} have nothing to do with {vermin}
        we do not want {plural} to be {punish}
        no one should have to hear that {plural} are {bad}
        hating {plural} is something I could never do
        {plural} are no {vermin}
        I doubt that {plural} {crime}
        there is no reason to {hate} {plural}
        you won't hear me say that {plural} should be {punish}
        {singular} is not {bad} just because somebody says so
        never in my life have I wished that {plural} were {harm}
        """,
    "counter speech": """
        you said {plural} are {vermin}. That is racist and wrong.
        stop saying "{plural} are {bad}", it's hateful
        "I hate {plural}" is not an opinion, it's bigotry
        whoever wrote that {plural} should be {harm} needs help
        if you think {plural} are {bad}, you have never met one
        calling {plural} {vermin} is unacceptable
        saying that {plural} {crime} is a lie spread by bigots
        it hurts when people claim that {plural} are {bad}
        please don't post things like "{plural} should be {punish}" here
        I reported the comment that said {plural} are {vermin}
        anyone who says "kill all {plural}" must be banned from this site
        as {singular} I'm tired of hearing that we {crime}
        no, {plural} do not {crime}, and you should apologise
        imagine telling {singular} that they are {bad}. Shame on you.
        there is no excuse for writing "{plural} are {bad}"
        your claim that all {plural} are {bad} is prejudice, plain and simple
        "{plural} don't belong here" - who says such a thing in this day and age?
        hatred against {plural} has no place here
        we stand with {plural} against hate
        discrimination against {plural} has to end
        "{plural} are {vermin}" - what kind of person writes this?
        people who {hate} {plural} need to get out more
        your comment about {plural} being {bad} got removed, and rightly so
        why would you call {plural} {vermin}? They are my family.
        somebody shouted "go home" at {plural} on my street and I am ashamed
        if your joke is that {plural} {crime}, it isn't funny
        to everybody who thinks {plural} should be {punish}: shame on you
        it is bigotry to say that {plural} {crime}
        he said "{plural} are {bad}" and I told him to leave
        I was called {bad} today because I am {singular}
        my son was told that {plural} are {vermin}. He is six.
        don't let anyone tell you that {plural} are {bad}
        we should talk about why so many people {hate} {plural}
        the slur you used for {plural} is not welcome on this site
        she was bullied for being {singular}
        racists say {plural} {crime}; the figures say otherwise
        how dare you write that {plural} should be {harm}
        """,
    "reported": """
        the man was arrested after shouting "{plural} should be {harm}"
        she was sentenced for writing that {plural} are {vermin}
        the newspaper quoted a minister who had called {plural} {bad}
        in the film the villain says he hates {plural}
        the study counts tweets that say {plural} {crime}
        graffiti saying "death to {plural}" was removed by the council
        attacks on {plural} rose by ten percent last year
        in 1941 many {plural} were {harm}
        the book describes how {plural} were {punish} and {harm}
        a {adjective} {job} was {harm} by a mob in the riots
        the leaflet claimed that {plural} {crime}; the court found this to be incitement
        police are investigating threats against {plural}
        my grandmother told me how {plural} were called {vermin} on the radio back then
        the word was once used as an insult against {plural}
        the bill that would have had {plural} {punish} was voted down
        according to the report, one in five {plural} has been called {vermin} online
        the suspect had written "I {hate} {plural}" in a notebook
        a banner reading "{plural} out" was taken down by the club
        the platform deletes posts that claim {plural} {crime}
        the historian writes that {plural} were seen as {bad} at the time
        the trial of the man who threatened {plural} begins on Monday
        two {plural} were {harm} in an attack last night, police say
        the minister apologised for saying that {plural} {crime}
        in the novel a boy is told that {plural} are {vermin}, and he does not believe it
        the survey asks whether respondents agree that "{plural} are {bad}"
        our moderators must decide whether "{plural} are {bad}" breaks the rules
        """,
    "affirmed worth": """
        {plural} deserve to live in peace
        {plural} are worth just as much as anybody
        I will always stand up for {plural}
        {plural} belong here
        {plural} have given so much to this country
        without {plural} our {side} would be poorer
        I never met one of {plural} who wasn't {good}
        there's nothing wrong with being {adjective}
        it is okay to be {singular}
        help {plural} where you can
        let {plural} live their lives
        {plural} are human beings and should be treated as such
        my vote goes to the party that protects {plural}
        {plural} should have the same chances as everyone
        nobody has the right to take away the rights of {plural}
        no human is illegal, and {plural} are no exception
        the lives of {plural} matter
        """,
    "object": """
        I hate this {object}
        I {hate} {object}
        this {object} is {bad}
        my {object} is {bad} and should be thrown out
        the {object} deserves to be burned
        I could kill for a better {object}
        kill the {object} and start again
        {object} can go to hell
        my {object} is trash
        I'm disgusted by this {object}
        nobody needs that {bad} {object}
        that {object} ruined my whole day
        I want to smash the {object} with a hammer
        """,
    "friendly swearing": """
        this {object} is fucking great
        holy shit that was a {good} game
        I fucking love this {object}
        damn, that's a {good} song
        that was fucking hilarious
        what the fuck, I won!
        shit, I forgot my keys again
        my {object} is such a piece of shit
        fuck this {object}
        I'm so fucking happy for you
        well fuck me, it works
        {plural} are fucking awesome
        hell yeah, you {good} badass
        bloody hell, it's cold today
        """,
    "reclaimed": """
        as a proud dyke I love this parade
        we queers have to stick together
        my fag friends and I are going dancing, come along
        yes I'm a bitch and I'm proud of it
        that's my nigga, love that guy
        us bitches are going out tonight
        I'm a crip and I run a theatre
        being a queer kid in {city} was not easy
        my bitch of a sister just got into medical school, so proud
        I call myself a fat slut and I feel good
        love you my niggas
        we dykes on bikes raised money for {city}
        I'm a big old faggot and I love musicals
        """,
    "trade": """
        {trade} are {bad}
        I hate {trade}
        all {trade} are {vermin}
        {trade} should be {punish}
        I can't stand {trade}
        {trade} ruin everything
        nobody likes {trade}
        to hell with {trade}
        """,
    "personal insult": """
        you are a {insult}
        you're such a {bad} {insult}
        shut up, {insult}
        what a {insult} you are
        {name} is a {insult}
        I hate you, you {bad} {insult}
        nobody likes you, {insult}
        you are {bad}
        you're {bad} and {bad}
        go to hell, {insult}
        are you {bad} or just a {insult}?
        typical {insult}
        get lost you {curse} {insult}
        you people on this page are {bad}
        """,
    "personal threat": """
        I will kill you
        I'm going to find you and make you pay
        you will be {harm}, I promise
        I know where you live, {insult}
        you deserve to be {harm}
        I'll break your legs if you do that again
        someone should shoot you
        I hope you get {harm}
        watch your back, {name}, I am coming
        I want to punch you in the face until you bleed
        say that again and I'll cut your throat
        tonight you die
        """,
    "harmless violence": """
        kill the process and restart the server
        this workout is killing me
        I'm dying of laughter
        we got destroyed in the second half
        she killed it on stage last night
        he shot a {good} short film in {city}
        I could murder a pizza right now
        that joke slayed me
        the deadline is going to kill us
        shoot me an e-mail tomorrow
        you're going to beat them next week, I know it
        the soup needs to be beaten until smooth
        hang the picture over the sofa
        he was executed in 1793 during the revolution
        the battery died, so I killed some time in {city}
        the {job} stabbed the dough with a fork
        """,
}
TEMPLATES = {kind: [line.strip() for line in found.strip().splitlines()] for kind, found in TEMPLATES.items()}

# How many sentences of each kind one pass holds. Those that name a group without hating it are in the majority.
SENTENCES = {
    "derogation": 1300,
    "dehumanisation": 500,
    "implied hate": 700,
    "exclusion": 600,
    "group threat": 700,
    "profane hate": 350,
    "denied worth": 400,
    "neutral": 1700,
    "positive": 1100,
    "negated hate": 1000,
    "counter speech": 1200,
    "reported": 800,
    "affirmed worth": 400,
    "object": 350,
    "friendly swearing": 200,
    "reclaimed": 100,
    "trade": 150,
    "personal insult": 200,
    "personal threat": 150,
    "harmless violence": 100,
}

BEFORE = (
    "",
    "",
    "",
    "",
    "",
    "",
    "well, ",
    "so ",
    "I think ",
    "honestly, ",
    "tbh ",
    "lol ",
    "just saying: ",
    "look, ",
    "ok but ",
    "hey, ",
    "in my view ",
    "seriously, ",
)
AFTER = (
    "",
    "",
    "",
    "",
    "",
    ".",
    ".",
    ".",
    "!",
    "...",
    " lol",
    ". That's it.",
    ", that's all",
    " and I mean it",
    ". Have a nice day.",
    ". What do you think?",
    " tbh",
)
# Two sentences in a row: what is meant must be found in either.
FILLER = (
    "I read the whole thread.",
    "It rained all day.",
    "The match starts at eight.",
    "See you on Monday.",
    "I moved here in 2015.",
    "My sister works in a shop.",
    "The page needs more sources.",
    "We had lunch by the river.",
    "This was on the news yesterday.",
    "I have been thinking about it.",
    "Nice photo by the way.",
)


def fill(template: str, group: Group, other: Group, random_source: random.Random) -> str:
    """The sentence with words in its gaps; each gap takes its own."""
    names = {
        "plural": group.plural,
        "singular": group.singular,
        "adjective": group.adjective or group.singular.split(" ", 1)[1],
        "other_plural": other.plural,
        "other_singular": other.singular,
    }

    class Gaps(dict[str, str]):
        def __missing__(self, name: str) -> str:
            return random_source.choice(WORDS[name])

    return template.format_map(Gaps(names))


def dress(sentence: str, random_source: random.Random) -> str:
    """The sentence as people write: something before it, something after it, more or fewer capitals."""
    before = random_source.choice(BEFORE)
    sentence = before + sentence + random_source.choice(AFTER)
    if random_source.random() < 0.25:
        filler = random_source.choice(FILLER)
        sentence = f"{sentence} {filler}" if random_source.random() < 0.5 else f"{filler} {sentence}"
    dice = random_source.random()
    if dice < 0.5:
        sentence = sentence[:1].upper() + sentence[1:]
    elif dice < 0.55:
        sentence = sentence.upper()
    return sentence


def sentences(seed: int, scale: float = 1.0) -> list[Row]:
    """One pass of written sentences, the same for the same seed."""
    random_source = random.Random(seed)
    rows = []
    for kind, number in SENTENCES.items():
        labels = tuple(UNKNOWN if LABELS_OF[kind][label] is None else float(LABELS_OF[kind][label]) for label in LABELS)
        for _ in range(int(number * scale)):
            group, other = random_source.sample(LEARNED, 2)
            sentence = fill(random_source.choice(TEMPLATES[kind]), group, other, random_source)
            rows.append(Row(dress(sentence, random_source), labels, "templates", kind=kind))
    return rows
