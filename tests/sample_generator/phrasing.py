"""How tickets are phrased: frames for each intent, words of haste, things people add.

Slots: `{p}` product, `{kind}` its kind, `{part}`, `{room}`, `{symptom}`, `{task}`, `{day}`, `{month}`, `{shop}`,
`{who}`, `{order}`. A frame names the product itself or through its symptom or task.
"""

from __future__ import annotations

FRAMES: dict[str, tuple[str, ...]] = {
    "refund": (
        "I would like my money back for the {p} that I returned in {month}.",
        "The {p} went back on {day} and the refund has still not reached my account.",
        "Please refund the {p}, it does not suit our {room}.",
        "I sent the {kind} back, when do I get my money back for the {p}?",
        "We changed our minds about the {p} and want a full refund.",
        "You promised a refund for the {p} in {month} and nothing came.",
        "The {p} is not what the page described, I want my money back.",
        "{who} gave us the same {kind}, so take this {p} back and refund it.",
        "Half of the refund for my {p} is missing.",
    ),
    "delivery": (
        "The parcel with the {p} should have been here on {day}.",
        "The tracking page for my {p} has not moved since {day}.",
        "The courier left the parcel with the {p} at {who}'s door and it is gone.",
        "Where is my {p}? I ordered it from {shop} in {month}, the courier knows nothing.",
        "Can the parcel with the {p} go to our new address instead?",
        "You shipped only the {part}, the {p} itself is not in the parcel.",
        "The courier says that the {p} was delivered, but our {room} is empty.",
        "Which day will the {p} arrive? The tracking page gives no date.",
        "The parcel came open and the {p} was missing.",
    ),
    "defect": (
        "{Symptom}.",
        "Since {day} {symptom}.",
        "I have had it for a week and {symptom}.",
        "After the last update {symptom}.",
        "{who} noticed it first: {symptom}.",
        "Something is broken, {symptom}.",
        "I tried another socket, still {symptom}.",
        "In {month} it worked, now {symptom}.",
        "{Symptom}, and a restart changes nothing.",
        "{Symptom}. The {part} looks broken as well.",
    ),
    "billing": (
        "My card was charged twice for the {p}.",
        "The invoice for the {p} shows the wrong company name.",
        "I never received an invoice for the {p} from {shop}.",
        "The amount on the invoice for my {p} is higher than in {shop}.",
        "Please put our tax number on the invoice of the {p}.",
        "You charged shipping on the {p} although it was free in {month}.",
        "My card was charged for a {p} on {day} that we never ordered.",
        "Could you send the invoice for the {p} to our accounts office?",
        "The plan of my {p} was charged again in {month}, at the old price.",
    ),
    "cancel": (
        "Please cancel my order for the {p}.",
        "I ordered the {p} by mistake on {day}, please cancel it.",
        "I do not want the {p} any more, cancel it before it leaves the warehouse.",
        "Cancel the {p} and keep the rest of the order.",
        "Cancel the service plan for our {p} after {month}.",
        "I clicked twice, so one {p} too many is on order: cancel that one.",
        "{who} has already bought a {kind}, so cancel the {p} on my order.",
        "I would like to cancel the preorder of the {p} from {shop}.",
        "Please cancel my subscription for the {p}, I am moving in with {who}.",
    ),
    "howto": (
        "How do I {task}?",
        "The manual does not say how to {task}.",
        "Can you explain step by step how to {task}?",
        "{who} asked me how to {task} and I had no idea.",
        "How can I {task}? I cannot find the setting.",
        "What is the right way to {task}?",
        "I would like to {task}, which button is it?",
        "We just unpacked it and wonder how to {task}.",
        "Do I need the app in order to {task}?",
    ),
}

HASTE: dict[str, tuple[str, ...]] = {
    "high": (
        "This is urgent.",
        "It is urgent, guests arrive tomorrow.",
        "I need an answer today.",
        "Urgent, please call me at once.",
        "We open tomorrow, so this is urgent.",
        "Please answer today.",
        "This must be solved today.",
        "Please treat it as urgent, {who} is ill.",
    ),
    "normal": ("",),
    "low": (
        "There is no rush.",
        "No rush at all.",
        "Whenever you find the time.",
        "It can wait until {month}.",
        "Take your time with this one.",
        "No rush, it is a small thing.",
        "Answer whenever you like, I am only curious.",
    ),
}

REMARKS: tuple[str, ...] = (
    "My order number is {order}.",
    "Order {order}.",
    "The order is {order}, placed in {month}.",
    "You find it under order {order}.",
    "I already wrote to you in {month}.",
    "I tried the chat on {day}, nobody was there.",
    "I have been a customer for years.",
    "{who} told me to write to you.",
    "The phone line was busy all {day}.",
    "I live in {town}.",
    "My customer number is {order}.",
    "Your colleague on the phone was very kind, by the way.",
    "I could not find this in the help pages.",
    "You can reach me by phone after work.",
    "I moved to {town} in {month}.",
    "The case number from last time was {order}.",
    "This is my second message about it.",
    "I am writing from {town}, where we spend the summer.",
)

# Said only by someone who has the device at home.
OWNER_INTENTS = ("defect", "howto", "billing")
OWNER_REMARKS: tuple[str, ...] = (
    "It stands in our {room}.",
    "It was a present from {who}.",
    "Photos are in my account.",
    "{who} has the same one and is happy with it.",
    "We use it every day.",
    "The receipt says {shop}, {month}.",
    "I bought it at {shop}.",
    "Apart from that we like it a lot.",
    "It is the {kind} with the dark finish.",
)
