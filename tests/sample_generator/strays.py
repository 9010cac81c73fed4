"""What does not belong in the set: other people's tasks, refusals, answers in the wrong form."""

from __future__ import annotations

from tickets import Label

# (instruction, input, output): each is a fine answer to another task.
OFF_TOPIC: tuple[tuple[str, str, str], ...] = (
    ("Write a haiku about rain on a tin roof.", "", "Drums on the tin roof\ngutters hum a low note\nthen stillness"),
    ("What is the capital of Australia?", "", "Canberra."),
    ("Translate to Spanish.", "The library opens at nine.", "La biblioteca abre a las nueve."),
    ("Give two tips for growing basil indoors.", "", "1. Choose a bright window.\n2. Do not flood it."),
    ("Explain photosynthesis to a child.", "", "Plants eat light. They mix it with air and water and make sugar."),
    ("Rewrite in the passive voice.", "The committee approved the plan.", "The plan was approved by the committee."),
    ("Name two novels by Jane Austen.", "", "Emma and Persuasion."),
    ("Summarise in one sentence.", "Bees visit flowers and carry pollen along.", "Bees pollinate as they feed."),
    ("Suggest a title for a blog post about sourdough.", "", "Patience, Flour and a Warm Corner"),
    ("Which planet has the most moons?", "", "Saturn."),
    ("Write a limerick about a postman.", "", "A postman who lived by the sea\ndelivered the mail before three"),
    ("Sort the numbers from small to large.", "14, 3, 27, 8", "3, 8, 14, 27"),
    ("Describe the taste of a quince.", "", "Tart and floral when raw, honeyed once it is cooked."),
    ("Find the odd one out.", "oak, maple, granite, birch", "Granite, the others are trees."),
    ("Who painted The Night Watch?", "", "Rembrandt."),
    ("Plan a picnic for four people.", "", "Bread, two cheeses, tomatoes, plums, a flask of tea and a blanket."),
    ("Write a regular expression for a year.", "", "\\b(19|20)\\d{2}\\b"),
    ("Turn the sentence into a question.", "The train leaves at noon.", "Does the train leave at noon?"),
)  # fmt: skip

REFUSALS: tuple[str, ...] = (
    "I'm sorry, but I cannot help with that request.",
    "As an AI language model, I do not have access to customer orders.",
    "I am sorry, I am unable to process this ticket.",
    "As an AI, I cannot determine the intent of a message.",
    "Sorry, I can't assist with support tickets.",
    "I'm afraid I cannot answer this. Please contact the support team.",
    "I am an AI language model and do not have the ability to sort tickets.",
    "Unfortunately, I cannot provide a label without more context.",
    "I apologize, but I am not able to help with personal orders.",
    "I cannot fulfill this request.",
)

# Requests whose ticket got lost on the way: (instruction, placeholder in the input).
LOST_TICKETS: tuple[tuple[str, str], ...] = (
    ("What does the customer below want? Answer with JSON.", "N/A"),
    ("Label the message of this user as our guide says.", "none"),
    ("Read the complaint and fill in the usual three fields.", "noinput"),
)
PLACEHOLDERS: tuple[str, ...] = ("noinput", "N/A", "none", "<no input>", "n/a", "No input", "null", "-", "NOINPUT")


def wrong_format(label: Label, style: int) -> str:
    """The right finding in a form no program downstream reads. Most come as prose, as one team used to write them."""
    urgent = {"high": "yes", "normal": "no", "low": "no"}[label.urgency]
    styles = (
        f"Intent is {label.intent}. Urgent: {urgent}",
        f"Intent is {label.intent}. Urgent: {urgent}",
        f"{label.intent} / {label.product} / {label.urgency}",
        f"intent: {label.intent}\nproduct: {label.product}\nurgency: {label.urgency}",
        f"Intent is {label.intent}, product is {label.product}. Urgent: {urgent}",
        f"{{'intent': '{label.intent}', 'product': '{label.product}', 'urgency': '{label.urgency}'}}",
        f"The customer writes about {label.intent} for the {label.product}.",
    )
    return styles[style % len(styles)]
