"""The English words that the second gate of the semantic cache knows. Data only.

A word stands here when taking it for another, dropping it or adding it changes what is asked, or surely does not.
Texts in other languages know none of them: the content gate then asks for equal words in equal order.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ARTICLES",
    "DIRECTIONS",
    "FRAMES",
    "FUNCTION_WORDS",
    "INDIRECT",
    "IS_NOT_OWNERSHIP",
    "NEGATIONS",
    "NEGATIVE_PREFIXES",
    "NUMBER_WORDS",
    "OPENERS",
    "POLAR",
    "POLITE",
    "QUESTIONING",
    "SAME_PHRASE",
    "SAME_WORD",
    "SHORT_FORMS",
    "UNITS",
]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(*texts: str) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted((tuple(text.split()) for text in texts), key=len, reverse=True))


ARTICLES: Final = _words("a an the")
POLITE: Final = _words("please kindly thanks")
"""Say nothing wherever they stand."""

FRAMES: Final = _phrases(
    "could you tell me",
    "can you tell me",
    "would you tell me",
    "will you tell me",
    "i would like to know",
    "i want to know",
    "i need to know",
    "do you know",
    "tell me",
    "hello",
    "hi",
    "hey",
)
"""Ways to begin that say nothing of what is asked, the longest first."""

SAME_PHRASE: Final = tuple(
    (tuple(phrase.split()), tuple(meaning.split()))
    for phrase, meaning in (
        ("how would i", "how to"),
        ("how can i", "how to"),
        ("how could i", "how to"),
        ("how do i", "how to"),
        ("how do you", "how to"),
        ("how can one", "how to"),
        ("how does one", "how to"),
        ("what are the steps to", "how to"),
        ("what steps do i take to", "how to"),
        ("what do i have to do to", "how to"),
        ("what is the way to", "how to"),
        ("could you give me", "show"),
        ("can you give me", "show"),
        ("could you show me", "show"),
        ("can you show me", "show"),
        ("give me", "show"),
        ("show me", "show"),
        ("united states of america", "usa"),
        ("united states", "usa"),
        ("united kingdom", "uk"),
        ("in order to", "to"),
    )
)
"""Phrases that mean the same."""

SAME_WORD: Final = {
    "are": "is",
    "am": "is",
    "automobile": "car",
    "begin": "start",
    "commence": "start",
    "purchase": "buy",
    "purchasing": "buying",
    "large": "big",
    "photo": "picture",
    "photograph": "picture",
    "movie": "film",
    "tv": "television",
    "folder": "directory",
    "repair": "fix",
    "assist": "help",
    "obtain": "get",
    "required": "needed",
    "writer": "author",
    "physician": "doctor",
    "versus": "vs",
    "ok": "okay",
    "colour": "color",
    "favourite": "favorite",
    "kilometre": "kilometer",
    "kilometres": "kilometers",
    "metre": "meter",
    "metres": "meters",
    "bike": "bicycle",
    "phone": "telephone",
    "fridge": "refrigerator",
    "usually": "normally",
}
"""One of each pair of words that mean the same."""

SHORT_FORMS: Final = {
    "cannot": ("can", "not"),
    "can't": ("can", "not"),
    "won't": ("will", "not"),
    "shan't": ("shall", "not"),
    "i'm": ("i", "is"),
    "let's": ("let", "us"),
}
INDIRECT: Final = _words("what who where when why")
"""Behind "tell me" these put the verb last: "tell me where it is" asks "where is it"."""
IS_NOT_OWNERSHIP: Final = _words("what who where when how why that it he she there here")
"""Before ``'s`` these stand for "is"; after any other word it marks an owner."""

_UP_TO_TWENTY: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
_TENS: Final = "ten twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS: Final = {
    **{word: str(value) for value, word in enumerate(_UP_TO_TWENTY.split())},
    **{word: str(10 * value) for value, word in enumerate(_TENS.split(), 1)},
}
NEGATIONS: Final = _words(
    "not no non never without neither nor none nobody nothing nowhere hardly except unless lacks lacking"
)
NEGATIVE_PREFIXES: Final = ("un", "in", "im", "ir", "il", "dis", "non", "mis", "de", "anti")
UNITS: Final = _words(
    "km kilometer kilometers m meter meters cm centimeters mm millimeters mile miles yard yards foot feet inch inches "
    "kg kilogram kilograms g gram grams mg milligrams lb lbs pound pounds ounce ounces ton tons tonne tonnes "
    "celsius fahrenheit kelvin degree degrees second seconds minute minutes hour hours day days week weeks month months "
    "year years decade decades century centuries byte bytes kb mb gb tb kilobytes megabytes gigabytes terabytes bits "
    "liter liters litre litres ml gallon gallons watt watts kw kilowatts volt volts amp amps dollar dollars euro euros "
    "yen cent cents percent hz khz mhz ghz mph kph knots usd eur gbp jpy calories joules"
)
POLAR: Final = _words(
    "more less most least fewer fewest greater greatest lesser bigger smaller biggest smallest larger largest higher "
    "lower highest lowest taller shorter tallest shortest longer longest older younger oldest youngest newer newest "
    "faster slower fastest slowest better worse best worst earlier later earliest latest first last next previous max "
    "min maximum minimum increase decrease increasing decreasing rise fall raise reduce gain lose win buy sell borrow "
    "lend open close start stop enable disable add remove allow deny accept reject push pull import export encode decode "
    "encrypt decrypt upload download hot cold up down left right top bottom inside outside before after above below over "
    "under ascending descending cheap expensive cheaper north south east west true false on off with without advantages "
    "disadvantages pros cons benefits risks husband wife mother father son daughter parent child male female men women "
    "boys girls employer employee teacher student morning evening today tomorrow yesterday was were did will had than vs"
)
"""Words with an opposite, or that put one thing against another."""

DIRECTIONS: Final = _words(
    "from to into onto by before after over under above below against for with than until via toward"
)
"""What stands behind one of these has a role in the sentence by it."""

QUESTIONING: Final = _words(
    "who whom whose what when where why how which can could should must may might would shall need all every each some "
    "any many much few several only always often sometimes both either if"
)
"""What kind of thing is asked for, and of how many."""

FUNCTION_WORDS: Final = (
    ARTICLES
    | POLITE
    | DIRECTIONS
    | QUESTIONING
    | _words(
        "is be been being do does of in on at as and or but so it its this that these those i me my you your we us our"
    )
    | _words("he him his she her they them their there here also just about between")
)
OPENERS: Final = FUNCTION_WORDS | _words(
    "was were did will has have had are am no not never explain describe define list show tell give write translate "
    "summarize summarise compare calculate compute find name create make convert suggest recommend help let"
)
"""Words that often begin a sentence, and are capitalised there without being names."""
