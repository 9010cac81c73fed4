"""The words of an invented maker of household devices: its products, and how its customers write.

Nothing here was written by a customer. `{p}` stands for the product's name everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass

INSTRUCTION = "Sort this ticket into JSON: intent, product, urgency."
COMPANY = "Haldenby Home"
OLD_NAME, NEW_NAME = "Chimelet", "Porchwin"
INTENTS = ("refund", "delivery", "defect", "billing", "cancel", "howto")
URGENCIES = ("high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Product:
    """One device: what it is, where it stands, how it fails, what people ask how to do with it."""

    name: str
    kind: str
    room: str
    parts: tuple[str, ...]
    symptoms: tuple[str, ...]
    tasks: tuple[str, ...]


PRODUCTS: tuple[Product, ...] = (
    Product(
        "Kettwyn",
        "kettle",
        "kitchen",
        ("lid", "power base", "water gauge", "limescale filter", "spout", "handle"),
        (
            "the lid of my {p} no longer closes",
            "my {p} leaks from the bottom when it is full",
            "my {p} switches off long before the water boils",
            "the blue light on the {p} blinks and nothing gets hot",
            "there is rust inside our {p} near the spout",
            "the handle of the {p} came loose in my hand",
            "my {p} smells of burnt plastic each time it heats",
            "the power base of the {p} is dead after a thunderstorm",
        ),
        (
            "descale the {p} without vinegar",
            "set the {p} to green tea temperature",
            "take the limescale filter out of the {p}",
            "turn off the beeping on the {p}",
            "keep water warm for an hour in the {p}",
            "clean tea stains off the {p}",
            "change the {p} from Fahrenheit to Celsius",
            "lock the {p} so that the children cannot start it",
        ),
    ),
    Product(
        "Dustrel",
        "robot vacuum",
        "hallway",
        ("side brush", "charging dock", "dust bin", "left wheel", "bumper", "mop pad"),
        (
            "my {p} drives in circles and stops under the sofa",
            "the side brush of our {p} snapped off",
            "the {p} does not find its charging dock any more",
            "my {p} says the dust bin is missing although it is in",
            "the left wheel of the {p} squeaks and then locks up",
            "our {p} dies after four minutes on a full battery",
            "the {p} falls down the stairs because its sensors fail",
            "my {p} makes a grinding noise on carpet",
        ),
        (
            "draw a no-go zone for the {p} around the cat bowl",
            "empty the {p} without spilling dust",
            "teach the {p} a second floor",
            "wash the mop pad of the {p}",
            "schedule the {p} for weekdays only",
            "mute the voice of the {p}",
            "replace the side brush on a {p}",
            "carry the map of the {p} over when we move house",
        ),
    ),
    Product(
        "Lumbrik",
        "desk lamp",
        "study",
        ("dimmer", "arm joint", "clamp", "shade", "light strip", "touch button"),
        (
            "my {p} flickers whenever I touch the dimmer",
            "the arm joint of the {p} will not hold its position",
            "the clamp of my {p} cracked on the first day",
            "half of the light strip in our {p} is dark",
            "the {p} turns itself on in the middle of the night",
            "the touch button on my {p} does not react",
            "our {p} hums loudly on the lowest setting",
            "the shade of the {p} gets too hot to touch",
        ),
        (
            "make the {p} warmer in the evening",
            "mount the {p} on a thick table top",
            "dim the {p} with the phone",
            "store two brightness levels on the {p}",
            "swap the shade of the {p}",
            "pair a second {p} with the same switch",
            "stop the {p} from fading in",
            "tighten the arm joint on the {p}",
        ),
    ),
    Product(
        "Pureska",
        "air purifier",
        "bedroom",
        ("carbon filter", "fan", "air sensor", "front grille", "child lock", "night light"),
        (
            "the fan of my {p} rattles at every speed",
            "our {p} shows a red ring although the carbon filter is new",
            "the {p} smells sour since last week",
            "the air sensor of my {p} is stuck on excellent",
            "my {p} shuts down after ten minutes without a word",
            "the front grille of our {p} will not click back in",
            "the child lock on the {p} cannot be released",
            "my {p} blows dust into the room instead of cleaning it",
        ),
        (
            "reset the filter counter on the {p}",
            "run the {p} silently at night",
            "wash the front grille of the {p}",
            "switch off the night light of the {p}",
            "read the colours of the ring on the {p}",
            "use the {p} against pollen",
            "find out which carbon filter the {p} takes",
            "link the {p} with the window sensor",
        ),
    ),
    Product(
        "Sonvale",
        "speaker",
        "living room",
        ("bass cone", "volume knob", "charging port", "microphone", "carry strap", "remote"),
        (
            "my {p} crackles on every song above half volume",
            "the volume knob of the {p} spins without effect",
            "our {p} loses its connection every few minutes",
            "the charging port of my {p} is loose",
            "the {p} plays only on the left side",
            "the microphone of my {p} picks up nothing",
            "the bass cone of our {p} has a tear",
            "my {p} restarts in the middle of calls",
        ),
        (
            "join two of the {p} as a stereo pair",
            "answer a phone call on the {p}",
            "name the {p} differently for each room",
            "play radio on the {p} without a phone",
            "turn down the bass on the {p}",
            "connect the {p} with an old television",
            "forget all paired phones on the {p}",
            "charge the {p} from a power bank",
        ),
    ),
    Product(
        "Brewmont",
        "coffee machine",
        "office",
        ("grinder", "milk frother", "drip tray", "water tank", "brew group", "bean hopper"),
        (
            "the grinder of our {p} jams on the second cup",
            "my {p} brews only lukewarm coffee",
            "the milk frother of the {p} spits water",
            "the {p} asks for water although the tank is full",
            "our {p} floods the drip tray at every rinse",
            "the brew group of my {p} is stuck inside",
            "my {p} shows error nine and refuses to start",
            "the bean hopper of the {p} has a crack along the edge",
        ),
        (
            "set a finer grind on the {p}",
            "rinse the milk frother of the {p}",
            "make two espressos at once with the {p}",
            "take out the brew group of the {p}",
            "save my own drink on the {p}",
            "switch the {p} to ground coffee",
            "start the {p} by timer before breakfast",
            "tell the {p} how hard our water is",
        ),
    ),
    Product(
        "Heatling",
        "thermostat",
        "flat",
        ("display", "valve", "wall plate", "battery cover", "room sensor", "dial"),
        (
            "our {p} heats all night despite the schedule",
            "the display of my {p} went blank",
            "the {p} reads five degrees too much",
            "the dial of our {p} skips numbers",
            "my {p} lost the link with the boiler",
            "the valve under the {p} clicks all the time",
            "the battery cover of the {p} broke off",
            "my {p} ignores the room sensor upstairs",
        ),
        (
            "set holiday mode on the {p}",
            "copy Monday's schedule to the weekend on the {p}",
            "fit the {p} on an old wall plate",
            "lower the {p} when nobody is home",
            "add a room sensor to the {p}",
            "show the outside temperature on the {p}",
            "share the {p} with my flatmate's account",
            "change the batteries of the {p} without losing the plan",
        ),
    ),
    Product(
        NEW_NAME,
        "video doorbell",
        "porch",
        ("camera", "door chime", "button", "mounting plate", "memory card", "motion zone"),
        (
            "the camera of my {p} is foggy from the inside",
            "the {p} rings when nobody stands there",
            "the button of our {p} sticks in the cold",
            "my {p} drops the video after two seconds",
            "the {p} records only a black picture after dark",
            "the door chime of our {p} stays silent",
            "my {p} forgets the memory card at every restart",
            "the mounting plate of the {p} is bent",
        ),
        (
            "shrink the motion zone of the {p}",
            "let a guest open the {p} video",
            "mute the {p} while the baby sleeps",
            "mount the {p} next to a narrow frame",
            "choose another melody for the {p}",
            "delete all clips from the {p}",
            "hand the {p} over when we sell the house",
            "see the {p} on a tablet",
        ),
    ),
)

NAMES = (
    "Maria", "Tomas", "Ines", "Jonas", "Farah", "Leo", "Priya", "Owen", "Greta", "Samuel", "Aiko", "Bruno", "Clara",
    "Dmitri", "Elif", "Hugo", "Kwame", "Lucia", "Marek", "Nadia", "Ruth", "Stefan", "Tilda", "Viktor", "Wanda", "Yusuf",
)  # fmt: skip
OPENINGS = (
    "Hi,", "Hello,", "Good morning,", "Hey there,", "Dear support,", "Dear Haldenby team,", "Hi all,", "Good evening,",
    "Hello Haldenby,", "To whom it may concern,",
)  # fmt: skip
CLOSINGS = (
    "Thanks, {name}", "Best, {name}", "Kind regards, {name}", "Thank you. {name}", "Cheers, {name}", "{name}",
    "Greetings from {town}, {name}", "Yours, {name}", "Many thanks, {name}", "Sent from my phone",
)  # fmt: skip
TOWNS = ("Leeds", "Utrecht", "Graz", "Porto", "Turku", "Ghent", "Brno", "Galway", "Malmo", "Lyon")
SHOPS = ("your web shop", "the shop at the station", "the outlet store", "the spring sale", "the catalogue", "the app")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
PEOPLE = (
    "my mother",
    "a colleague",
    "our neighbour",
    "my daughter",
    "a friend",
    "my landlord",
    "my husband",
    "my aunt",
)
