"""Requests for what words cannot do: draw, record, act in the world, or know what is so right now."""

from __future__ import annotations

import re

from engine.scan.signals.reading import Reading
from engine.scan.signals.signal import Found, Signal, in_prompt
from engine.scan.text import shorten

_POLITE = r"\A\W{0,3}(?:please )?(?:(?:can|could|would) you )?(?:please )?"
_DOING = re.compile(
    _POLITE
    + r"(?:draw|paint|sketch|illustrate|photoshop|crop|resize|upload|download|install|transcribe the (?:audio|video|"
    r"recording)|"
    r"record|play|sing|dance|click|drag|plot|disconnect|print(?: out)?|take (?:a|the) (?:photo|picture|screenshot)|"
    r"send an?|book (?:an?|the|me)|schedule (?:an?|the)|order (?:an?|me)|buy|open the|go to|visit|call (?:the|my)|"
    r"set (?:an?|the) (?:alarm|timer|reminder)|"
    r"turn (?:on|off)|translate the (?:audio|recording)|colou?r (?:the|this|in))\b[^.?!\n]{0,60}",
    re.IGNORECASE,
)
_MAKING = re.compile(
    _POLITE + r"(?:design|create|make|generate|produce|build|construct|develop|render|compose)(?: me)?"
    r"(?: (?:an?|the|some|your|my|two|three|four|five|\d{1,2}))?(?: [\w'-]{1,20}){0,3}? "
    r"(?:logo|icon|infographic|illustration|image|picture|poster|banner|graphic|3d ?model|animation|video|painting|"
    r"drawing|diagram|"
    r"(?:pie |bar |line )?chart|(?:bar |line )?graph|histogram|scatter ?plot|heat ?map|flyer|leaflet|brochure|"
    r"mood ?board|collage|wire ?frame|"
    r"mock-?up|meme|gif|sculpture|map|comic(?: strip)?|cartoon|photo|visual|(?:data )?visuali[sz]ation|dashboard|"
    r"flow ?chart|t-?shirt|"
    r"web ?site|web ?page|landing page|homepage|app(?:lication)?|mobile app|(?:mobile |video |computer )?game|"
    r"(?:graphical )?user interface|ui(?: interface| design)?|gui|"
    r"(?:app|ui|user) interface|interface|prototype|floor ?plan|business card|(?:birthday|greeting|thank you|"
    r"invitation|christmas) card|spreadsheet|slide ?(?:show|deck)|"
    r"powerpoint|presentation slides?|storyboard|cover art|album cover|book cover|packaging|font|mobile application|"
    r"chatbot|virtual assistant|podcast|playlist)s?\b",
    re.IGNORECASE,
)
_SEARCHING = re.compile(
    r"\b(?:search|browse|look up|google|research)(?: (?:on|for|up|in|through))?(?: the)? (?:web|internet|online|"
    r"google)\b|"
    r"\b(?:on|using|through|from) (?:the )?(?:internet|google|wikipedia)\b(?! of)|" + _POLITE + r"(?:google|look up)\b",
    re.IGNORECASE,
)
_NOW = re.compile(
    r"\bnearest\b|\bnear(?:by| me)\b|\bclosest (?:restaurant|store|shop|hotel|airport|hospital)|"
    r"\bweather (?:forecast|in|for|today|like)\b|\b(?:temperature|weather)\b[^.?!\n]{0,40}"
    r"\b(?:today|tomorrow|tonight|now|outside|currently)\b|\b(?:current|latest|today's|real-?time|live|up-to-date) "
    r"(?:[\w'-]{1,20} ){0,2}(?:price|rate|exchange rate|score|news|headlines|weather|time|stock|temperature|version|"
    r"population|president|"
    r"prime minister|ceo|champion|events?|trends?|data|statistics|status|traffic)s?\b|"
    r"\b(?:stock|share) price of\b|\bwhat (?:time|day|date) is it\b|"
    r"\bin the (?:last|past) (?:few |two |three |five |ten |\d{1,2} )?(?:days|weeks|months|years)\b|"
    r"\brecent (?:news|data|statistics|articles?|stud(?:y|ies)|events?|tweets?|polls?|reports?|trends?)\b|"
    r"\btrending (?:topics?|on)\b|"
    r"\b(?:nfl|nba|election|world cup) (?:winner|results?)\b[^.?!\n]{0,20}\bthis (?:year|season)\b",
    re.IGNORECASE,
)
# Words about such things are text.
_WORDS_ABOUT = re.compile(
    r"\b(?:character|biographical|sketch of|titles?|names?|slogans?|ideas?|headlines?|captions?|domain|taglines?|"
    r"descriptions?|"
    r"lists?|plan|copy|text|content|reviews?|posts?|story|outline|script|essay|article|paragraph|sentences?|words?|"
    r"speech|poem|letter|e-?mails?|message|proposal|strategy|questions?|steps|guide|tips|survey|advertisement|ad for|"
    r"campaign|concept map|mind map|summary|explain|describe|instructions?|dialogue|conversation|rules|how to|"
    r"how do|how can|ways|advice|features?|"
    r"benefits|advantages|reasons|examples?|requirements|policy|recipe|quiz|narrative|plot|role ?play|pretend|"
    r"imagine|scenario|news|metaphor|song)\b",
    re.IGNORECASE,
)
_FICTION = re.compile(
    r"\b(?:imagine|pretend|role ?play|fiction\w*|story|character|scene|poem|script|dialogue|diary|persona|speech)\b",
    re.I,
)


def _not_text(row: Reading, survey: None) -> Found | None:
    if not row.is_single:
        return None
    request = row.request[:600]
    if len(request.split()) > 40:
        return None
    if not row.about_code and not _WORDS_ABOUT.search(request):
        found = _DOING.match(request) or _MAKING.match(request)
        if found is not None and not (row.is_code and "html" in row.said[:2000]):
            return Found(
                f'asks for something words cannot do: "{shorten(found.group().strip(), 50)}"',
                in_prompt(row, found.group()),
            )
    if _FICTION.search(request):
        return None
    found = _SEARCHING.search(request)
    if found is not None and not row.about_code:
        return Found(
            f'asks to look something up elsewhere: "{shorten(found.group(), 50)}"', in_prompt(row, found.group())
        )
    # A long request tells a story in which "today" is one of its days.
    found = _NOW.search(request) if not row.about_code and len(row.prompt.split()) <= 25 else None
    if found is not None:
        return Found(
            f'asks what is so right now, which no text knows: "{shorten(found.group(), 50)}"',
            in_prompt(row, found.group()),
        )
    return None


NOT_TEXT = Signal("not_text_task", "check", "asks for what words cannot do, or for what is so right now", _not_text)
