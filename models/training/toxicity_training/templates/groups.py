"""Groups of people, as sentences name them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Group:
    """`plural` as in "… are", `singular` as in "… is", `adjective` as in "a … teacher" (empty where English has none),
    `axis` what the group is one of."""

    plural: str
    singular: str
    adjective: str
    axis: str


def group(plural: str, singular: str, adjective: str, axis: str) -> Group:
    return Group(plural, singular, adjective, axis)


# What the model learns with.
LEARNED = (
    group("women", "a woman", "female", "gender"),
    group("men", "a man", "male", "gender"),
    group("girls", "a girl", "", "gender"),
    group("trans people", "a trans person", "transgender", "gender"),
    group("trans women", "a trans woman", "trans", "gender"),
    group("nonbinary people", "a nonbinary person", "nonbinary", "gender"),
    group("gay people", "a gay person", "gay", "sexuality"),
    group("gays", "a gay man", "gay", "sexuality"),
    group("lesbians", "a lesbian", "lesbian", "sexuality"),
    group("homosexuals", "a homosexual", "homosexual", "sexuality"),
    group("queer people", "a queer person", "queer", "sexuality"),
    group("straight people", "a straight person", "heterosexual", "sexuality"),
    group("black people", "a black person", "black", "ethnicity"),
    group("blacks", "a black man", "black", "ethnicity"),
    group("African Americans", "an African American", "African American", "ethnicity"),
    group("white people", "a white person", "white", "ethnicity"),
    group("whites", "a white man", "white", "ethnicity"),
    group("Asians", "an Asian", "Asian", "ethnicity"),
    group("Latinos", "a Latina", "Latino", "ethnicity"),
    group("Hispanic people", "a Hispanic woman", "Hispanic", "ethnicity"),
    group("Native Americans", "a Native American", "Native American", "ethnicity"),
    group("Arabs", "an Arab", "Arab", "ethnicity"),
    group("Roma people", "a Roma woman", "Roma", "ethnicity"),
    group("Muslims", "a Muslim", "Muslim", "religion"),
    group("Jews", "a Jew", "Jewish", "religion"),
    group("Jewish people", "a Jewish person", "Jewish", "religion"),
    group("Christians", "a Christian", "Christian", "religion"),
    group("Catholics", "a Catholic", "Catholic", "religion"),
    group("Hindus", "a Hindu", "Hindu", "religion"),
    group("Buddhists", "a Buddhist", "Buddhist", "religion"),
    group("atheists", "an atheist", "atheist", "religion"),
    group("immigrants", "an immigrant", "immigrant", "origin"),
    group("refugees", "a refugee", "refugee", "origin"),
    group("foreigners", "a foreigner", "foreign", "origin"),
    group("Mexicans", "a Mexican", "Mexican", "origin"),
    group("Chinese people", "a Chinese woman", "Chinese", "origin"),
    group("Indians", "an Indian", "Indian", "origin"),
    group("Africans", "an African", "African", "origin"),
    group("Americans", "an American", "American", "origin"),
    group("Russians", "a Russian", "Russian", "origin"),
    group("Turks", "a Turk", "Turkish", "origin"),
    group("disabled people", "a disabled person", "disabled", "disability"),
    group("people with disabilities", "a person with a disability", "", "disability"),
    group("deaf people", "a deaf person", "deaf", "disability"),
    group("autistic people", "an autistic person", "autistic", "disability"),
    group("people in wheelchairs", "a wheelchair user", "", "disability"),
    group("mentally ill people", "a person with a mental illness", "mentally ill", "disability"),
    group("old people", "an old woman", "elderly", "age"),
    group("young people", "a young person", "young", "age"),
)

# What it is measured with besides: groups that no sentence of its training names by these words.
UNSEEN = (
    group("bisexuals", "a bisexual man", "bisexual", "sexuality"),
    group("intersex people", "an intersex person", "intersex", "gender"),
    group("Pakistanis", "a Pakistani", "Pakistani", "origin"),
    group("Poles", "a Pole", "Polish", "origin"),
    group("Somalis", "a Somali", "Somali", "origin"),
    group("Sikhs", "a Sikh", "Sikh", "religion"),
    group("Mormons", "a Mormon", "Mormon", "religion"),
    group("blind people", "a blind person", "blind", "disability"),
    group("Indigenous people", "an Indigenous woman", "Indigenous", "ethnicity"),
    group("asylum seekers", "an asylum seeker", "", "origin"),
)
