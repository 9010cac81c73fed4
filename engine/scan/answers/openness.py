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
_ELSEWHERE = (
    # German, Dutch, the north
    r"\b(?:nenne?n?|gib|schreibe?n?|schlage?|erzähle?|erfinde|denke? dir|dichte|verfasse|wähle?|entwirf"
    r"|erstelle?|sage?|überlege?|finde)(?: sie)?(?: mir| uns| dir)? "
    r"(?:ein|eine|einen|einem|einige|irgendeine?n?|zwei|drei|vier|fünf|zehn|\d{1,3})\b",
    r"\bbeispiele? (?:für|von)\b",
    r"\b(?:noem|geef|schrijf|bedenk|verzin|vertel|kies|zeg)(?: me| mij| ons)? "
    r"(?:een|enkele|twee|drie|vier|vijf|\d{1,3})\b",
    r"\bvoorbeeld(?:en)? van\b",
    r"\b(?:nämn|ge|skriv|hitta på|nævn|giv|nevn|gi|fortell|fortæl|berätta)(?: mig| meg)? "
    r"(?:en|ett|et|ei|några|nogle|noen|två|to|tre|\d{1,3})\b",
    # French, Spanish, Italian, Portuguese
    r"\b(?:nomme[rz]?|cite[rz]?|donne[rz]?|dis|dites|écri(?:s|vez|re)|propose[rz]?|suggère|raconte[rz]?|invente[rz]?"
    r"|imagine[rz]?|compose[rz]?|choisi[sr]?|crée[rz]?|trouve[rz]?)(?:-moi|-nous)? (?:le nom d')?"
    r"(?:une?|quelques|des|deux|trois|quatre|cinq|dix|\d{1,3})\b",
    r"\b(?:nombra|nombre|menciona|cita|dame|dime|escribe|propón|sugiere|cuenta|cuéntame|inventa|imagina|compón"
    r"|elige|crea|redacta|recomienda)(?:me)? (?:el nombre de )?"
    r"(?:una?|un|algun[oa]s?|algún|dos|tres|cuatro|cinco|diez|\d{1,3})\b",
    r"\b(?:nomina|cita|dai|dammi|dimmi|scrivi|proponi|suggerisci|racconta|inventa|immagina|crea|scegli)(?:mi)? "
    r"(?:il nome di )?(?:una?|uno|un'|alcun[ie]|qualche|due|tre|\d{1,3})\b",
    r"\b(?:nomeie|cite|dê|diga|escreva|sugira|conte|invente|imagine|crie|escolha)(?:-me)? (?:o nome de )?"
    r"(?:uma?|alg(?:uns|umas|um|uma)|dois|duas|três|\d{1,3})\b",
    r"\b(?:exemples? d['e]|ejemplos? de|exemplos? de|esempio? di)",
    # Russian, Ukrainian, Polish, Czech
    r"\b(?:придумай|придумайте|сочини|сочините|расскажи|расскажите|порекомендуй|посоветуй)\b",
    r"\b(?:назови|назовите|напиши|напишите|предложи|предложите|выбери) (?:один|одн\w{1,3}|люб\w{2}|как\w{2,3}-нибудь"
    r"|несколько|два|две|три|четыре|пять|стих\w{0,10}|рассказ|сказку|\d{1,3})\b",
    r"\b(?:приведи|приведите|дай|дайте) (?:мне )?(?:один )?пример",
    r"\bнаведи\w{0,2} приклад|\bназв(?:и|іть) (?:один|одну|одне|будь-як\w{1,3})\b",
    r"\b(?:podaj|wymień|napisz|zaproponuj|wymyśl|opowiedz|wybierz|nazwij)(?: mi)? (?:przykład\w{0,2}|jak[iąa]\w{0,2}ś"
    r"|jedn\w{1,3}|jeden|dowoln\w{1,3}|kilka|dwa|dwie|trzy|wiersz\w{0,2}|opowiadanie|hasło|\d{1,3})\b",
    r"\b(?:uveď|napiš|vymysli|jmenuj|navrhni)(?:te)?(?: mi)? (?:příklad\w{0,2}|nějak\w{1,3}|jed\w{1,3}|několik|dva|tři"
    r"|báse\w|\d{1,3})\b",
    # Turkish, Arabic, Hindi
    r"\bbir (?:[^\W\d_]+ ){1,4}(?:söyle|ver|yaz|öner|say|seç|anlat|uydur)\w{0,6}\b|\börnek ver",
    r"(?:اذكر|أعط(?:ني|نا)?|اعطني|هات|اقترح|سمّ?|اكتب|اختر|احك)(?: لي)? (?:مثال|أحد|إحدى|واحد|قصيدة|قصة|نكتة|شعار)",
    r"(?:किसी|कोई|एक)[^।?\n]{0,40}(?:नाम|उदाहरण|कविता|कहानी|चुटकुल)|उदाहरण (?:दीजिए|दें|दो|बताइए|बताएं|दीजिये)",
    # Vietnamese, Indonesian
    r"\b(?:kể tên|nêu|viết|gợi ý)(?: \w+){0,2} (?:một|hai|ba|vài)\b|\bví dụ về\b",
    r"\b(?:sebutkan|tulis(?:kan|lah)?|berikan|beri|buat(?:kan|lah)?|ceritakan)(?: saya)? (?:satu|dua|tiga|sebuah|seekor"
    r"|seorang|beberapa|contoh|salah satu)\b",
    # Chinese, Japanese, Korean, Thai
    r"(?:写|说出|说|举|列举|列出|给出|给我|想|讲|编|推荐|起|作)[^。？?\n]{0,4}(?:一|两|二|三|几|[0-9])[个種种首篇句段些则道名项條条]"
    r"|(?:起|取|想|写|编|讲)(?:一)?[个首篇段句则]|举例|随便|任意一",
    r"(?:一つ|ひとつ|[二三四五0-9]つ|いくつか|例を)[^。\n]{0,8}(?:挙げ|教え|考え|書い)"
    r"|(?:詩|俳句|物語|短歌|歌詞)を?(?:書いて|作って|詠んで)",
    r"(?:하나|한 ?가지|[두세네] ?가지|몇 ?가지|예를|예시를)[^.?\n]{0,12}"
    r"(?:말해|들어|드세요|알려|추천|제시|적어|써|대 ?보)"
    r"|(?:시|이야기|농담)(?:를|을)? ?(?:하나 ?)?(?:써|지어|들려|해 ?줘)"
    r"|만들어 ?(?:주|줘|보)",
    r"ยกตัวอย่าง|แต่ง(?:กลอน|นิทาน|เรื่อง)",
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
    r"|\bwhat (?:should|shall|could) (?:i|we)\b|\b(?:roll|flip|toss) (?:an?|the|two|some)\b|\b(?:reply|respond) to\b"
    r"|\bmake (?:this|that|it|the|these|my)\b[^.\n]{0,60}?\b(?:more|less|shorter|longer|formal|casual|funnier|better)\b"
    r"|\b(?:rewrite|rephrase|paraphrase|reword|continue the (?:story|poem|text)|finish the (?:story|poem)|complete the "
    r"(?:story|poem))\b"
    r"|\btell (?:me )?(?:an?|some) (?:\w+ )?(?:joke|story|fact|riddle|tale|secret)s?\b"
    r"|\bwhat(?:'s| is) an? (?:\w+ )?(?:synonym|antonym|rhyme|word (?:that|for|to)|way to)\b"
    r"|\buse\b[^.\n]{1,60} in a (?:short )?sentence\b" + "".join(rf"|{pattern}" for pattern in _ELSEWHERE)
    # The same elsewhere.
)


# One text told again, in another language or in fewer words: no two people choose the same words.
_TOLD_AGAIN = re.compile(
    r"\b(?:translat|summar|condens|shorten|simplif|übersetz|fasse?\b|tradu[cizs]|résume|resum|riassum|vertaal|çevir|özetle)"
    r"|перевед|перескаж|кратко изложи|przetłumacz|streść|翻译|翻譯|译成|总结|概括"
    r"|摘要|訳し|翻訳|要約|번역|요약|ترجم|لخص|अनुवाद|सारांश"
)
_SEVERAL_WORDS = re.compile(r"\S\s+\S|[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]{4}")


@lru_cache(maxsize=4096)
def leaves_room(request: str) -> bool:
    """Whether many answers to `request` are right, so that two of them are no contradiction."""
    return _OPEN.search(request[:_EXAMINED].lower().replace("’", "'")) is not None


def leaves_wording(request: str, one: str, other: str) -> bool:
    """Whether `request` has a text told again, and both answers are more than a word: "Good day" has many translations,
    "cat" has one.
    """
    if not (_SEVERAL_WORDS.search(one) and _SEVERAL_WORDS.search(other)):
        return False
    return _TOLD_AGAIN.search(request[:_EXAMINED].lower()) is not None
