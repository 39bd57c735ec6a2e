"""Words that need two or three quantities at once: muggy is warm and humid, raw is cold and damp.

They stand for a corpus only where it has each of the quantities in one channel that no other rivals. A level is high
where it is above that of two thirds of the windows, a change is one that is plain.
"""

from __future__ import annotations

from collections.abc import Iterator

from data_modules.statements.quantities import Idiom

_SHORT = {
    **{"T": "temperature", "H": "humidity", "P": "pressure", "W": "wind", "R": "precipitation", "S": "radiation"},
    **{"C": "cloud", "B": "body temperature", "hr": "heart", "rr": "breathing", "sat": "saturation", "sys": "systolic"},
    **{"dia": "diastolic", "flu": "epidemic", "dead": "mortality", "pat": "patients", "L": "load", "p": "price"},
    **{"sun": "solar power", "wp": "wind power", "imp": "imports", "hz": "frequency", "stock": "stocks"},
}


def _parts(text: str) -> tuple[tuple[str, str, int], ...]:
    """Of "T+ dP-": the temperature is high and the pressure falls."""
    found = []
    for part in text.split():
        name, sign = part[:-1], 1 if part.endswith("+") else -1
        change = name.startswith("d") and name[1:] in _SHORT
        found.append((_SHORT[name[1:] if change else name], "change" if change else "mean", sign))
    return tuple(found)


_WEATHER = (  # parts; adjectives; nouns; clauses
    (
        "T+ H+",
        """muggy; muggy; sultry; close; sticky; steamy; warm and humid; hot and humid; warm and damp; oppressive;
            stuffy; sweaty; hot and sticky; humid and warm; tropical""",
        """mugginess; sultry weather; humid heat; warm, moist air; sticky weather; sauna weather; a tropical feel;
            steamy heat; muggy weather; greenhouse air; warm humid air; sticky heat; a sultry spell""",
        """it {feel} muggy; it {feel} close; it {be} like a greenhouse; it {be} like a sauna; the air {be} warm and
            moist; your shirt {stick} to your back; the air {be} sticky; it {feel} tropical; the air {be} thick and
            warm""",
    ),
    (
        "T- H+",
        """raw; raw; dank; cold and damp; clammy; chilly and damp; cold and wet-aired; dreary; damp and cold; cold
            and clammy; bleak""",
        """raw weather; damp cold; cold damp air; a damp chill; dank weather; clammy cold; raw air; damp, chilly
            weather; cold and damp conditions""",
        """it {feel} raw; the cold {be} damp; the damp {get} into your bones; the air {be} cold and damp; it {be}
            cold and damp; the damp cold {creep} into everything""",
    ),
    (
        "T+ H-",
        """desert-like; hot and dry; warm and dry; parched and hot; dry and warm; arid and warm; Mediterranean;
            baking dry""",
        """dry heat; desert weather; desert-like conditions; hot, dry air; warm dry air; desert air; parching heat;
            warm and dry conditions; Mediterranean weather""",
        """it {be} like a desert; the air {be} hot and dry; the heat {be} dry; it {feel} like the desert; the ground
            {bake}; the air {be} warm and dry""",
    ),
    (
        "T- H-",
        "crisp; cold and dry; crisp and cold; cold and crisp; bracing; dry and chilly; cold but dry",
        """crisp air; dry cold; cold, dry air; crisp, cold weather; a dry cold; bracing air; polar dryness; cold and
            dry conditions""",
        "the air {be} crisp; the cold {be} dry; it {feel} crisp; the air {be} cold and dry; it {be} cold but dry",
    ),
    (
        "T- W+",
        """bleak; cold and windy; bitterly windy; windy and cold; cold and blustery; wind-chilled;
            bracing""",
        """a biting wind; a bitter wind; a cutting wind; an icy wind; a cold wind; wind chill; an icy blast; a chill
            wind; cold winds; a piercing wind; a lazy wind""",
        """a cold wind {blow}; the wind {cut} right through you; an icy wind {blow}; the wind {make} it feel colder;
            a bitter wind {blow}; the wind {bite}; the wind chill {be} bad""",
    ),
    (
        "T+ W+",
        "warm and windy; warm and breezy; windy but warm; hot and windy",
        "a warm wind; a hot wind; warm winds; a warm breeze; a balmy breeze; hot winds; a hairdryer wind",
        "a warm wind {blow}; the wind {be} warm; it {be} like standing before a hairdryer; a warm breeze {blow}",
    ),
    (
        "T+ W-",
        "stifling; warm and still; hot and still; airless; warm and calm; close; stuffy",
        """still heat; stifling heat; airless warmth; warm, still air; stagnant heat; heat without a breeze; calm
            warm weather""",
        """not a breeze {relieve} the heat; the air {stand} still in the heat; there {be} no breeze to cool us; it
            {be} stifling; warm air {hang} motionless""",
    ),
    (
        "T- W-",
        "cold and still; cold and calm; still and chilly; cold but calm; calm and wintry",
        "still cold; cold, still air; calm cold weather; a cold pool of still air; cold without wind",
        "the cold air {lie} still; it {be} cold but calm; the air {be} cold and still",
    ),
    (
        "P+ W-",
        "settled; fair; settled and calm; quiet; tranquil; set fair; calm and settled; serene; benign",
        """fair settled weather; settled weather; quiet high-pressure weather; calm settled conditions; a settled
            spell; calm anticyclonic weather; set-fair weather; high pressure and light winds; a quiet high""",
        """the weather {be} settled; the weather {be} set fair; it {be} calm under a high; the barometer {be} high
            and the wind light; fair weather {reign}; the weather {be} quiet""",
    ),
    (
        "P- W+",
        "stormy; stormy; unsettled and windy; foul; wild; rough; tempestuous; cyclonic and windy; dirty",
        """stormy weather; a storm; foul weather; rough weather; wild weather; unsettled, windy weather; a windy low;
            dirty weather; a tempest; low pressure and strong winds; heavy weather; a blow under a low""",
        """it {be} stormy; a storm {rage}; the weather {be} foul; the weather {be} rough; the barometer {be} low and
            the wind strong; a storm {pass} through; a depression {bring} strong winds; the weather {be} wild""",
    ),
    (
        "dP- dW+",
        "",
        """an approaching storm; a storm brewing; a front approaching; a storm coming; deteriorating weather;
            worsening weather; a low moving in with wind; falling pressure and freshening wind; a gathering storm; bad
            weather on its way; a change for the worse""",
        """a storm {brew}; a storm {approach}; a front {approach}; the weather {worsen|deteriorate|break|go
            downhill}; bad weather {move in}; the glass {fall} as the wind got up; a storm {come up}; things {get}
            stormy; the weather {close in}; a storm {gather}""",
    ),
    (
        "dP+ dW-",
        "",
        """improving weather; the calm after the storm; a storm blowing itself out; settling weather; a storm moving
            away; a change for the better; rising pressure and easing wind; weather on the mend; a clearing-up after a
            storm""",
        """the storm {blow} itself out; the weather {improve|settle|calm down|settle down}; the storm {move
            away|abate|pass}; things {calm down}; the wind {drop} as the glass rose; the weather {get} better""",
    ),
    (
        "dT- dP+",
        "",
        """a cold front passing; a cold front; a passage of a cold front; cold air behind a front; post-frontal
            cooling; cold air under rising pressure; a cold-front passage""",
        """a cold front {pass|go through|come through|sweep through}; cold air {come in} with rising pressure; the
            front {clear} through; cold air {push} in under a building high""",
    ),
    (
        "dT+ dP-",
        "",
        """a warm front; a warm front approaching; warm air ahead of a low; the warm sector of a low; warmth before a
            storm; warming under falling pressure""",
        """a warm front {approach|arrive|move in}; warm air {stream} in ahead of a low; it {warm up} as the glass
            fell; warm air {surge} in before the low""",
    ),
    (
        "dT- dW+",
        "",
        "a cold blast; a cold surge; a chill wind getting up; cold air blowing in; an outbreak of cold with wind",
        """cold air {blow} in; a cold blast {arrive}; it {turn} cold and windy; the wind {bring} cold air; a chill
            wind {get up}""",
    ),
    (
        "dT+ dW-",
        "",
        "warming with the wind dying down; a turn to warm and calm; warmth settling in",
        "it {turn} warm and calm; it {warm up} as the wind died down; warmth {settle in}",
    ),
    (
        "dT+ dH-",
        "",
        "a warming and drying; a turn to warm and dry; air warming and drying out; burning-off mist; drying warmth",
        """it {turn} warm and dry; it {warm up} and the air dried out; the day {warm up} and dried off; the mist
            {burn off}""",
    ),
    (
        "dT- dH+",
        "",
        """a turn to cold and damp; air cooling and getting damper; a damp chill setting in; cooling and moistening;
            dew-forming cooling""",
        """it {turn} cold and damp; a damp chill {set in|creep in}; it {cool down} and grew damp; the air {cool} and
            moistened""",
    ),
    (
        "dT+ dH+",
        "",
        """mugginess building; a turn to muggy weather; warm moist air moving in; an influx of warm, humid air;
            growing mugginess""",
        """it {turn|get|become} muggy; warm moist air {move in|stream in|flow in}; mugginess {build|set in}; it {get}
            sultry; it {become} close""",
    ),
    (
        "dT- dH-",
        "",
        """cold dry air moving in; a turn to crisp air; a refreshing change; an end to the mugginess; an influx of
            cold, dry air""",
        """it {turn|become} crisp; cold dry air {move in|flow in|arrive}; the mugginess {break|end}; fresher air
            {arrive}; it {freshen up}""",
    ),
    (
        "H+ W-",
        "damp and still; fog-prone; calm and damp; humid and still; murky; stagnant",
        """still damp air; fog weather; mist-prone air; damp, calm weather; stagnant moist air; misty stillness; calm
            humid air""",
        "damp air {hang} about; the damp air {hardly move}; it {be} damp and still; moisture {hang} in the still air",
    ),
    (
        "H- W+",
        "dry and windy; windy and dry; dry and breezy",
        """a drying wind; good drying weather; dry winds; a dry breeze; a parching wind; perfect weather for drying
            laundry; a dry wind""",
        "a dry wind {blow}; washing {dry} in no time; the wind {dry} everything out; the wind {be} dry",
    ),
    (
        "H+ W+",
        "damp and blustery; damp and windy; humid and breezy; wet and wild",
        "a damp wind; a moist breeze; damp, blustery weather; moist winds; a wet wind",
        "a damp wind {blow}; moist air {blow} in; the wind {be} damp",
    ),
    (
        "H- W-",
        "dry and calm; dry and still; calm and dry",
        "dry, calm weather; still dry air; dry air and light winds",
        "dry air {lie} still; it {be} dry and calm",
    ),
    (
        "P- H+",
        "unsettled and damp; dreary; damp and unsettled; rainy-looking",
        """damp, unsettled weather; a damp low; moist low-pressure weather; dreary weather; rain-bearing conditions;
            moist air in a depression""",
        """a damp low {dominate}; it {be} damp and unsettled; low pressure {bring} moist air; the weather {look} like
            rain""",
    ),
    (
        "P+ H-",
        "fine and dry; fair and dry; dry and settled",
        "fine, dry weather; a dry high; fair, dry weather; settled dry weather; dry anticyclonic air",
        "it {be} fine and dry; the weather {be} dry and settled; a high {bring} dry air",
    ),
    (
        "P+ T+",
        "fine and warm; warm and settled",
        "fine warm weather; a warm high; a warm settled spell; summery high pressure",
        "it {be} fine and warm; a warm high {dominate}; the weather {be} warm and settled",
    ),
    (
        "P+ T-",
        "cold and settled; wintry but settled",
        "a cold high; a cold anticyclone; cold settled weather; a wintry high",
        "a cold high {dominate}; it {be} cold and settled; cold air {sit} under a high",
    ),
    (
        "P- T+",
        "warm and unsettled; thundery",
        "a warm low; warm unsettled weather; the warm sector of a depression; warm low-pressure weather",
        "it {be} warm and unsettled; a warm low {dominate}; a low {bring} warm air",
    ),
    (
        "P- T-",
        "cold and unsettled; wintry and unsettled",
        "a cold low; cold unsettled weather; a cold depression; wintry low-pressure weather",
        "it {be} cold and unsettled; a low {bring} cold air; a cold low {dominate}",
    ),
    (
        "T+ H- W-",
        "warm, dry and calm",
        "picnic weather; barbecue weather; garden weather; warm, dry, calm weather; lovely sitting-outside weather",
        "it {be} warm, dry and calm; it {be} picnic weather; it {be} a day for a barbecue",
    ),
    (
        "T- H+ W+",
        "miserable; filthy; nasty; grim; dreich; cold, damp and windy; foul",
        """miserable weather; filthy weather; nasty weather; stay-indoors weather; cold, damp and windy weather;
            weather for ducks; wretched weather""",
        "the weather {be} miserable; it {be} cold, damp and windy; it {be} a day to stay indoors",
    ),
    (
        "T+ H- W+",
        "hot, dry and windy; tinder-dry and windy",
        "fire weather; bushfire weather; wildfire weather; hot, dry, windy weather",
        "the fire danger {be} high; it {be} hot, dry and windy; it {be} fire weather",
    ),
    (
        "R+ W+",
        "wet and windy; wild and wet",
        "wind and rain; driving rain; lashing rain; a wet blow; rain and wind",
        "it {blow} and rained; the rain {lash} down; rain {beat} against the windows",
    ),
    (
        "R+ T-",
        "cold and wet; cold and rainy",
        "cold rain; chilly rain; cold, wet weather",
        "a cold rain {fall}; it {be} cold and wet",
    ),
    (
        "R+ T+",
        "warm and wet; warm and rainy",
        "warm rain; tropical rain; warm, wet weather",
        "a warm rain {fall}; it {be} warm and wet",
    ),
    (
        "S+ T+",
        "hot and sunny; warm and sunny; glorious; summery",
        "beach weather; hot sunny weather; warm sunshine; glorious weather; sunbathing weather",
        "the sun {shine} hot; it {be} warm and sunny; it {be} beach weather",
    ),
    (
        "S+ T-",
        "cold but sunny; bright and cold; crisp and bright",
        "cold sunshine; bright, cold weather; sunny cold weather; winter sunshine",
        "it {be} cold but sunny; the sun {shine} but it was cold",
    ),
    (
        "S- T-",
        "cold and gloomy; grey and cold; dull and chilly; bleak",
        "cold, dull weather; grey, chilly weather; bleak weather",
        "it {be} grey and cold; it {be} dull and chilly",
    ),
    (
        "S- R+",
        "gloomy and wet; grey and rainy; dismal",
        "grey, rainy weather; dismal weather; gloomy wet weather",
        "it {be} grey and wet; it {rain} from a grey sky",
    ),
    (
        "S- H+",
        "grey and damp; dull and damp; murky",
        "grey, damp weather; murky weather; dull, damp weather",
        "it {be} grey and damp; it {be} murky",
    ),
    ("S+ W-", "sunny and calm; bright and still", "calm sunny weather; still, sunny weather", "it {be} sunny and calm"),
    ("C+ H+", "cloudy and damp; grey and humid", "cloudy, damp weather", "it {be} cloudy and damp"),
)
_HEALTH = (
    (
        "B+ hr+",
        "feverish and tachycardic; hot with a racing pulse; septic-looking",
        """fever with a fast pulse; a hot patient with a racing heart; a feverish patient with a fast pulse; a septic
            picture; high temperature with tachycardia""",
        """the patient {be} feverish with a fast pulse; the patient {be} hot and the heart raced; the patient {look}
            septic""",
    ),
    (
        "B- hr-",
        "cool and bradycardic; cold with a slow pulse",
        "a cool patient with a slow pulse; low temperature with bradycardia",
        "the patient {be} cool with a slow pulse; the patient {be} cold and the heart slow",
    ),
    (
        "hr+ sys-",
        "shocky; tachycardic and hypotensive; in shock",
        """shock; a shock picture; a fast pulse with low blood pressure; a high shock index; tachycardia with
            hypotension""",
        "the patient {look} shocky; the patient {be} in shock; the pulse {be} fast and the pressure low",
    ),
    (
        "hr- sys+",
        "bradycardic and hypertensive",
        "a slow pulse with high blood pressure; bradycardia with hypertension",
        "the pulse {be} slow and the pressure high",
    ),
    (
        "hr+ rr+",
        "distressed; agitated; fast in pulse and breath",
        "distress; a fast pulse with fast breathing; tachycardia and tachypnoea; an agitated patient",
        "the patient {be} in distress; heart and breathing {be} fast; the patient {be} worked up",
    ),
    (
        "hr- rr-",
        "relaxed; at rest; peaceful",
        "a resting patient; slow pulse and slow breathing; a relaxed patient; a patient at rest",
        "the patient {be} at rest; heart and breathing {be} slow; the patient {rest} quietly",
    ),
    (
        "rr+ sat-",
        "in respiratory distress; breathless and hypoxic",
        """respiratory distress; breathing trouble; fast breathing with low sats; a struggle for air; respiratory
            failure""",
        """the patient {struggle} for air; the patient {have} trouble breathing; the patient {be} in respiratory
            distress""",
    ),
    (
        "rr- sat-",
        "under-breathing; hypoventilating",
        "hypoventilation; slow breathing with low sats; too little breathing; an oversedated patient",
        "the patient {hypoventilate}; the patient {breathe} too little",
    ),
    (
        "rr- sat+",
        "breathing easily",
        "easy breathing; calm breathing with good sats",
        "the patient {breathe} easily; breathing {be} easy",
    ),
    (
        "sys+ dia+",
        "hypertensive",
        "high blood pressure; raised pressures; hypertension top and bottom; both pressures up",
        "the blood pressure {be} high; both pressures {be} up; the patient {be} hypertensive",
    ),
    (
        "sys- dia-",
        "hypotensive",
        "low blood pressure; soft pressures; hypotension top and bottom; both pressures down",
        "the blood pressure {be} low; both pressures {be} down; the patient {be} hypotensive",
    ),
    (
        "sys+ dia-",
        "",
        "a wide pulse pressure; a high top number with a low bottom number",
        "the pulse pressure {be} wide",
    ),
    (
        "sys- dia+",
        "",
        "a narrow pulse pressure; a low top number with a high bottom number",
        "the pulse pressure {be} narrow",
    ),
    (
        "dsys- dhr+",
        "",
        """a patient going into shock; circulatory deterioration; a crashing patient; pressure falling with the pulse
            rising""",
        """the patient {go} into shock; the patient {crash}; the circulation {deteriorate}; the pulse {rise} as the
            pressure fell""",
    ),
    (
        "dsys+ dhr-",
        "",
        "circulatory recovery; a stabilising patient; pressure recovering with the pulse settling",
        "the patient {stabilise}; the circulation {recover}; the pulse {settle} as the pressure came up",
    ),
    (
        "dsat- drr+",
        "",
        "respiratory deterioration; worsening breathing; sats falling as breathing speeds up",
        "the breathing {worsen}; the patient {tire}; the patient {breathe} faster as the sats fell",
    ),
    (
        "dsat+ drr-",
        "",
        "respiratory recovery; easing breathing; sats recovering as breathing calms down",
        "the breathing {get} easier; the patient {breathe} more easily; the breathing {ease}",
    ),
    (
        "dB+ dhr+",
        "",
        "a fever coming on with the pulse climbing; temperature and pulse climbing",
        """the pulse {climb} with the temperature; temperature and pulse {go up}; the patient {heat up} and the heart
            sped up""",
    ),
    (
        "dB- dhr-",
        "",
        "a fever settling with the pulse; temperature and pulse settling",
        "temperature and pulse {settle}; the pulse {settle} with the temperature",
    ),
    (
        "flu+ dead+",
        "deadly",
        "a deadly flu wave; a deadly flu season; a lethal outbreak; much flu and many deaths",
        "flu {be} rife and many died; the flu {claim} many lives; the outbreak {be} deadly",
    ),
    (
        "flu- dead-",
        "healthy",
        "a healthy time; little flu and few deaths; a lull in flu and deaths",
        "flu {be} rare and few died; there {be} little flu and few deaths",
    ),
    (
        "dflu+ ddead+",
        "",
        "flu and deaths mounting together; a flu wave taking its toll",
        "flu and deaths {mount} together; the flu {begin} to take its toll",
    ),
    (
        "dflu- ddead-",
        "",
        "flu and deaths ebbing together; a flu wave and its toll receding",
        "flu and deaths {ebb} together; the flu and its toll {recede}",
    ),
    (
        "flu+ pat+",
        "busy with flu",
        "waiting rooms full of flu; clinics overrun by flu",
        "flu {fill} the waiting rooms; the clinics {be} full of flu patients",
    ),
)
_ENERGY = (
    (
        "L+ p+",
        "tight; busy and expensive",
        """a tight market; a supply crunch; high demand at high prices; scarcity; strong demand and dear power; a
            peak-price peak""",
        """the market {be} tight; supply {be} stretched; power {be} in demand and dear; demand {be} high and so were
            prices""",
    ),
    (
        "L- p-",
        "slack; quiet and cheap",
        """a slack market; an oversupplied market; low demand at low prices; weak demand and cheap power; a buyer's
            market""",
        "the market {be} slack; demand {be} weak and power cheap; there {be} more power than anyone needed",
    ),
    (
        "L+ p-",
        "busy but cheap",
        "strong demand at low prices; a well-supplied peak",
        "demand {be} high but power cheap; power {be} cheap despite strong demand",
    ),
    (
        "L- p+",
        "quiet but expensive",
        "weak demand at high prices; dear power in quiet hours",
        "demand {be} low yet power dear; power {be} dear despite weak demand",
    ),
    (
        "wp+ p-",
        "windy and cheap",
        "cheap wind power; a glut of wind power; wind pushing prices down; windy, cheap hours",
        "wind {push} prices down; plenty of wind {make} power cheap; power {be} cheap as the turbines spun",
    ),
    (
        "wp- p+",
        "calm and expensive",
        "a wind lull with dear power; expensive power in a calm; little wind and high prices",
        "a lack of wind {drive} up prices; power {be} dear while the turbines stood idle",
    ),
    (
        "sun+ p-",
        "sunny and cheap",
        "a solar glut; cheap solar hours; sun pushing prices down; lots of solar and low prices",
        "the sun {push} prices down; solar {depress} prices; plenty of sun {make} power cheap",
    ),
    (
        "sun- p+",
        "dark and expensive",
        "dear power without sun; little solar and high prices",
        "power {be} dear for lack of sun; with little sun, power {be} dear",
    ),
    (
        "sun- wp-",
        "dark and calm",
        "a Dunkelflaute; a dark lull; dark doldrums; little wind and sun; scarce renewables; a renewables drought",
        """there {be} neither wind nor sun for the grid; renewables {be} scarce; wind and sun {let} the grid down;
            neither wind nor solar {deliver}""",
    ),
    (
        "sun+ wp+",
        "green; windy and sunny",
        "plenty of green power; a renewables bonanza; abundant renewables; lots of wind and sun; a green-power glut",
        """renewables {be} plentiful; wind and sun {deliver} plenty; there {be} lots of green power; both wind and
            solar {do} well""",
    ),
    (
        "L+ T-",
        "cold and power-hungry",
        "heating demand; a winter peak; a cold-weather peak; electric heating load; heavy load in the cold",
        "the cold {drive} demand up; heating {push} up demand; the heaters {run}; people {turn} the heating up",
    ),
    (
        "L+ T+",
        "hot and power-hungry",
        "air-conditioning demand; cooling load; a summer peak; heavy load in the heat",
        "the heat {drive} demand up; air conditioners {push} up demand; the air conditioners {hum}",
    ),
    (
        "L- T+",
        "mild and low-demand",
        "low demand in mild weather; mild, quiet hours",
        "mild weather {keep} demand low; the warmth {keep} demand down",
    ),
    (
        "L- T-",
        "cold yet low-demand",
        "low demand in spite of the cold; cold, quiet hours",
        "demand {be} low in spite of the cold",
    ),
    (
        "L+ wp-",
        "",
        "a high residual load; a busy grid with little wind; conventional plants in demand",
        "the residual load {be} high; conventional plants {have} to step in; demand {be} high with little wind",
    ),
    (
        "L- wp+",
        "oversupplied",
        "a surplus of power; a low residual load; an oversupplied grid; more wind than needed; curtailment weather",
        "the grid {be} oversupplied; there {be} too much wind for the demand; the residual load {be} low",
    ),
    (
        "imp+ wp-",
        "",
        "imports filling in for the wind; heavy imports in a wind lull",
        "imports {make} up for the missing wind; imports {fill} the gap left by the wind",
    ),
    ("imp- wp+", "", "wind power sold abroad; exports of surplus wind", "surplus wind power {go} abroad"),
    (
        "dL+ dp+",
        "",
        "a tightening market; demand and prices ramping up; a rush hour for power; prices climbing with demand",
        "the market {tighten}; demand {pull} prices up; prices {climb} with demand; demand and prices {ramp up}",
    ),
    (
        "dL- dp-",
        "",
        "a loosening market; demand and prices tailing off; prices sinking with demand",
        "the market {loosen}; prices {sink} with demand; demand and prices {ease}; prices {come down} as demand eased",
    ),
    (
        "dwp+ dp-",
        "",
        "rising wind and sinking prices; wind bringing prices down",
        "the wind {bring} prices down; prices {fall} as the wind picked up",
    ),
    ("dwp- dp+", "", "dying wind and climbing prices", "prices {climb} as the wind died down"),
    (
        "dsun+ dp-",
        "",
        "rising sun and sinking prices; solar bringing prices down",
        "the sun {bring} prices down; prices {fall} as solar came up",
    ),
    ("dsun- dp+", "", "fading sun and climbing prices; an evening price ramp", "prices {climb} as the sun faded"),
    (
        "stock- p+",
        "scarce and dear; tight",
        "a shortage; low stocks and high prices; scarcity",
        "supplies {be} short and prices high; there {be} a shortage",
    ),
    (
        "stock+ p-",
        "plentiful and cheap",
        "a glut; ample stocks and low prices; oversupply",
        "there {be} a glut; supplies {be} ample and prices low",
    ),
)
IDIOMS = tuple(
    Idiom(_parts(parts), adjective, noun, clause) for parts, adjective, noun, clause in (*_WEATHER, *_HEALTH, *_ENERGY)
)


def known_idioms(kinds: dict[str, int]) -> Iterator[tuple[Idiom, tuple[int, ...]]]:
    """The idioms of a corpus that has the quantities of these kinds, and the places of their channels.

    Parameters
    ----------
    kinds
        Quantities that one channel stands for: kind to place.
    """
    for idiom in IDIOMS:
        if all(kind in kinds for kind, _, _ in idiom.parts):
            yield idiom, tuple(kinds[kind] for kind, _, _ in idiom.parts)
