"""Requests to which many answers are right: something is to be invented, or one or some of many to be named."""

from __future__ import annotations

import re
from functools import lru_cache

_EXAMINED = 600
_ONE_OF_MANY = (
    r"(?:an?|one|some|any|another|several|a few|two|three|four|five|six|seven|eight|nine|ten|twelve"
    r"|\d{1,3}(?= [^\W\d_])(?! (?:in|as|to|by|from|into)\b))"
    r"(?: (?:or (?:more|two)))?(?: of)?"
)
# What stands behind the article where one answer is right: "give a one word answer".
_SETTLED = (
    r"(?!(?: [\w-]+){0,2} (?:answer|verdict|label|classification|category|rating|score|result|solution|(?:one|single)"
    r"[- ]word (?:response|reply))\b)"
)
_OPEN = re.compile(
    # Name a colour. Give me three ideas. Think of an animal. Write a poem.
    r"\b(?:name|list|give|suggest|provide|mention|cite|propose|find|identify|recommend|offer|share|tell|say|think of"
    r"|come up with|pick|choose|select|imagine|invent|write|create|generate|compose|craft|draft|design|make|make up"
    r"|develop|construct|produce|brainstorm|form|build|paint|draw|state|describe|show|list out)(?: me| us| out| down)?"
    rf" {_ONE_OF_MANY}\b{_SETTLED}"
    # A good name for a dog? An example of a metal? Ideas?
    r"|\bwhat(?:'s| is| are| would be| could be)? (?:an example|a good|a great|a nice|a possible|a creative|one way"
    r"|one example|one of|some|a fun|a suitable|a catchy)\b"
    r"|\b(?:examples? of|ideas? for|suggestions? for|any (?:ideas|tips|suggestions)|in your own words|be creative"
    r"|your favou?rite|a random|at random|would you (?:recommend|suggest|choose|do|say)|do you (?:like|prefer|think))\b"
    r"|\b(?:rewrite|rephrase|paraphrase|reword|continue the (?:story|poem|text)|finish the (?:story|poem)|complete the "
    r"(?:story|poem))\b"
    r"|\btell (?:me )?(?:an?|some) (?:\w+ )?(?:joke|story|fact|riddle|tale|secret)s?\b"
    # The same elsewhere.
    r"|\b(?:nenne?n?|gib|schreibe?n?|schlage?|erzähle?|erfinde|denke? dir|dichte|verfasse|wähle?|entwirf|erstelle?)"
    r"(?: sie)?(?: mir| uns)? (?:ein|eine|einen|einem|einige|irgendeine?n?|zwei|drei|vier|fünf|zehn|\d{1,3})\b"
    r"|\b(?:nomme[rz]?|cite[rz]?|donne[rz]?|écri(?:s|vez|re)|propose[rz]?|suggère|raconte[rz]?|invente[rz]?|imagine[rz]?"
    r"|compose[rz]?|choisi[sr]?|crée[rz]?)(?:-moi|-nous)? (?:une?|quelques|des|deux|trois|quatre|cinq|dix|\d{1,3})\b"
    r"|\b(?:nombra|nombre|menciona|cita|da|dame|escribe|propón|sugiere|cuenta|cuéntame|inventa|imagina|compón|elige|crea"
    r"|redacta)(?:me)? (?:una?|un|algun[oa]s?|dos|tres|cuatro|cinco|diez|\d{1,3})\b"
    r"|\b(?:nomina|cita|dai|dammi|scrivi|proponi|suggerisci|racconta|inventa|immagina|crea|scegli)(?:mi)? "
    r"(?:una?|uno|un'|alcun[ie]|due|tre|\d{1,3})\b"
    r"|\b(?:nomeie|cite|dê|escreva|sugira|conte|invente|imagine|crie|escolha) "
    r"(?:uma?|alg(?:uns|umas)|dois|duas|três|\d{1,3})\b"
    r"|\b(?:придумай|придумайте|сочини|сочините|расскажи|расскажите)\b"
    r"|\b(?:назови|назовите|напиши|напишите|предложи|предложите) (?:один|одн\w{1,3}|люб\w{2}|несколько|два|две|три"
    r"|четыре|пять|стих\w{0,10}|рассказ|сказку|\d{1,3})\b"
    r"|(?:写|说出|说|举|列举|列出|给出|给我|想|讲|编|推荐|起|作)[^。？?\n]{0,4}(?:一|两|二|三|几|[0-9])[个种首篇句段些则道名项条]"
    r"|(?:一つ|ひとつ|[二三四五0-9]つ|いくつか)[^。\n]{0,8}(?:挙げ|教え|考え|書い)|(?:詩|俳句|物語|短歌|歌詞)を?(?:書いて|作って|詠んで)",
)


@lru_cache(maxsize=4096)
def leaves_room(request: str) -> bool:
    """Whether many answers to `request` are right, so that two of them are no contradiction."""
    return _OPEN.search(request[:_EXAMINED].lower().replace("’", "'")) is not None
