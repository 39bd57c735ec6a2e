"""Everyday words of patients and of epidemics."""

from __future__ import annotations

from data_modules.statements.quantities import Landmark, Move, Quantity, State

PATIENTS = (
    Quantity(
        "body temperature",
        r"(body|core|skin|rectal|tympanic) temperature",
        names="""body temperature; core temperature; temp; core temp; the patient's temperature; body temp; the fever
            curve""",
        high=State(
            plain="feverish; febrile; hot to the touch",
            strong="burning up; burning hot; hyperthermic; very feverish",
            most="most feverish",
            more="more feverish; hotter",
            noun="""a high temperature; an elevated temperature; a raised temperature; a warm patient; a feverish
                patient""",
            strong_noun="a raging fever; a high fever; a spiking temperature; hyperthermia; a burning fever",
            clause="""the patient {run} a temperature; the patient {be} feverish; the patient {feel} hot; the
                temperature {be} up""",
            strong_clause="the patient {burn} up; the patient {burn} with fever; the fever {rage}",
        ),
        low=State(
            plain="cool; cold to the touch",
            strong="hypothermic; chilled; stone cold",
            most="coldest",
            more="cooler; colder",
            noun="a low temperature; a subnormal temperature; a cool patient",
            strong_noun="a chilled patient; a very cold patient",
            clause="the patient {be} cool; the patient {feel} cold; the temperature {be} subnormal",
        ),
        rise=Move(
            """the temperature {spike|go up|climb|shoot up}; a fever {develop|set in|come on|mount}; the patient
                {get} hotter; the patient {warm up}""",
            "a mounting fever; a temperature spike; a developing fever; a climbing temperature; rewarming",
        ),
        fall=Move(
            """the fever {break|go down|subside|come down|abate}; the patient {cool down}; the temperature {come
                down|settle}; the patient {defervesce}""",
            "a subsiding fever; a falling temperature; a fever breaking; defervescence; cooling of the patient",
        ),
        landmarks=(
            Landmark(
                "maximum",
                True,
                38.0,
                "°C",
                """[a] fever; a febrile patient; pyrexia; a temperature over 38; a fever spike; a febrile episode;
                    temperature above thirty-eight""",
                """the patient {have} a fever; the patient {run} a fever; the patient {be} febrile; the patient
                    {spike} a temperature; the patient {become} pyrexial""",
                without="fever; fever; pyrexia; febrile episode; temperature above 38",
            ),
            Landmark(
                "maximum",
                False,
                37.5,
                "°C",
                """an afebrile patient; a fever-free patient; no fever; an apyrexial patient; temperature normal
                    throughout""",
                """the patient {be} afebrile; the patient {stay} afebrile; the patient {be} free of fever; the
                    patient {remain} fever-free; the patient {be} apyrexial""",
            ),
            Landmark(
                "maximum",
                True,
                39.0,
                "°C",
                "a high fever; a fever over 39; a temperature above thirty-nine",
                "the patient {have} a high fever; the fever {pass} 39",
                without="high fever; fever above thirty-nine",
            ),
            Landmark(
                "minimum",
                False,
                36.0,
                "°C",
                "hypothermia; a subnormal temperature; a temperature under thirty-six",
                "the patient {be} hypothermic; the patient {become} hypothermic; the patient {get} too cold",
                without="hypothermia",
            ),
        ),
    ),
    Quantity(
        "heart",
        r"\b(heart ?rate|pulse)\b|^hr$",
        names="""heart rate; pulse; heartbeat; pulse rate; the pulse; HR; the heart rate; heart rhythm; beats per
            minute; the heartbeat; ventricular rate; cardiac rate; the pulse rate""",
        plurals="heart rates; heartbeats",
        high=State(
            plain="tachycardic",
            noun="""a (fast|rapid|quick) (pulse|heartbeat|heart rate); a raised pulse; an elevated heart rate; a high
                pulse; a fast heart; rapid heartbeats; tachycardia; a fast rate; palpitations""",
            strong_noun="""a racing heart; a racing pulse; a galloping heart; a pounding heart; a heart going like the
                clappers; marked tachycardia""",
            clause="""the heart {beat} fast; the pulse {be} fast; the pulse {be} up; the heart {beat} rapidly; the
                pulse {run} high; the patient {be} tachycardic; the pulse {be} quick; the patient {be} tachy""",
            strong_clause="""the heart {race}; the pulse {race}; the heart {pound}; the heart {gallop}; the pulse {be}
                through the roof""",
            most="most tachycardic",
        ),
        low=State(
            plain="bradycardic",
            noun="""a slow (pulse|heartbeat|heart rate); a low pulse; a low heart rate; slow heartbeats; bradycardia;
                a sluggish pulse; a slow heart; a resting pulse; a slow rate""",
            strong_noun="a very sluggish heart; a crawling pulse; marked bradycardia",
            clause="""the heart {beat} slowly; the pulse {be} slow; the pulse {be} down; the pulse {run} low; the
                patient {be} bradycardic; the heart {tick over} slowly; the patient {be} brady""",
            strong_clause="the pulse {crawl}; the heart {hardly beat} faster than a crawl",
            most="most bradycardic",
        ),
        rise=Move(
            """the heart {speed up|beat faster and faster|accelerate|start racing}; the pulse {quicken|speed up|go
                up|pick up|rise|climb}; the heart rate {pick up|shoot up|creep up}; the patient {become} tachycardic;
                the heart {race away}""",
            """a quickening pulse; an accelerating heart; a speeding-up heart; a rising pulse; a climbing heart rate;
                acceleration of the heart""",
        ),
        fall=Move(
            """the heart {slow down|beat more and more slowly|calm down|slow}; the pulse {slow|slow down|come down|go
                down|settle|fall}; the heart rate {settle|come down|drop away}; the patient {become} bradycardic; the
                pulse {calm}""",
            """a slowing pulse; a slowing heart; a heart slowing down; a falling pulse; a settling heart rate;
                slowing of the heart""",
        ),
        landmarks=(
            Landmark(
                "mean",
                True,
                100.0,
                "",
                """tachycardia; persistent tachycardia; a pulse over one hundred; a heart rate in three figures;
                    sustained tachycardia""",
                "the patient {be} tachycardic; the pulse {average} over a hundred; the patient {be} in tachycardia",
                without="tachycardia on average; sustained tachycardia",
            ),
            Landmark(
                "mean",
                False,
                60.0,
                "",
                "bradycardia; a pulse under sixty; persistent bradycardia; sustained bradycardia",
                "the patient {be} bradycardic; the pulse {average} under sixty",
                without="sustained bradycardia; bradycardia on average",
            ),
            Landmark(
                "maximum",
                True,
                120.0,
                "",
                "a run of tachycardia; a pulse above one hundred and twenty at some point; a burst of fast heartbeats",
                "the pulse {pass} 120; the pulse {go} above one hundred and twenty",
                without="pulse above 120; heart rate above one hundred and twenty",
            ),
        ),
    ),
    Quantity(
        "breathing",
        r"respirat|breathing",
        unit=r"min",
        names="""respiratory rate; breathing rate; respiration rate; breathing frequency; breathing; respirations; RR;
            resp rate; the breathing; resps; the respiratory rate; breaths per minute; respiration""",
        plurals="breaths; respirations",
        high=State(
            plain="tachypnoeic; breathless; short of breath",
            noun="""(fast|rapid) breathing; quick breaths; shallow rapid breaths; a high respiratory rate;
                breathlessness; rapid respirations; quick breathing""",
            strong_noun="panting; gasping; laboured breathing; hyperventilation; marked tachypnoea; air hunger",
            clause="""the patient {breathe} fast; the patient {breathe} rapidly; the patient {be} short of breath;
                breathing {be} fast; the patient {be} tachypnoeic""",
            strong_clause="""the patient {pant}; the patient {gasp} for air; the patient {hyperventilate}; the patient
                {fight} for breath""",
            most="most breathless",
            more="more breathless",
        ),
        low=State(
            noun="""slow breathing; slow breaths; a low respiratory rate; unhurried breathing; slow respirations;
                infrequent breaths""",
            strong_noun="very shallow, slow breathing; barely any breaths; respiratory depression; bradypnoea",
            clause="""the patient {breathe} slowly; breathing {be} slow; breaths {be} few; the patient {breathe}
                unhurriedly""",
            strong_clause="the patient {hardly breathe}; breathing {be} depressed",
        ),
        rise=Move(
            """(breathing|respiration) {speed up|quicken|get faster|accelerate}; the patient {breathe} faster and
                faster; breaths {come} faster; the patient {get} out of breath""",
            "quickening breathing; breathing getting faster; accelerating respiration; breathing speeding up",
        ),
        fall=Move(
            """(breathing|respiration) {slow down|get slower|calm down|settle}; the patient {breathe} more and more
                slowly; breaths {come} more slowly""",
            "slowing breathing; breathing getting slower; calming respiration; breathing slowing down",
        ),
        landmarks=(
            Landmark(
                "mean",
                True,
                24.0,
                "",
                "tachypnoea; tachypnea; more than twenty-four breaths a minute; sustained rapid breathing",
                "the patient {be} tachypnoeic; the patient {breathe} more than 24 times a minute",
                without="tachypnoea; tachypnea",
            ),
            Landmark(
                "mean",
                False,
                12.0,
                "",
                "bradypnoea; bradypnea; fewer than twelve breaths a minute",
                "the patient {breathe} fewer than twelve times a minute",
                without="bradypnoea; bradypnea",
            ),
        ),
    ),
    Quantity(
        "saturation",
        r"oxygen saturation|spo2|\bsao2\b",
        names="""oxygen saturation; SpO2; blood oxygen; the oxygen level; oxygenation; saturation; O2 sat; O2
            saturation; sat; the SpO2; the oximeter; oxygen; the pulse oximeter; blood oxygenation; oxygen level;
            pulse ox""",
        plurals="sats; oxygen levels; saturations; O2 sats; the sats",
        high=State(
            plain="well oxygenated",
            noun="""good oxygenation; well-oxygenated blood; good sats; high sats; healthy oxygen levels; plenty of
                oxygen in the blood; good saturations""",
            strong_noun="perfect oxygenation; full saturation; excellent sats",
            clause="""the patient {be} well oxygenated; the sats {be} good; oxygenation {be} good; the patient {sat}
                well; the sats {hold} up""",
            most="best oxygenated",
            more="better oxygenated",
        ),
        low=State(
            plain="hypoxic; poorly oxygenated",
            noun="""poor oxygenation; poorly oxygenated blood; low sats; bad sats; low oxygen; poor sats; a lack of
                oxygen; too little oxygen in the blood""",
            strong_noun="dangerously low sats; severe hypoxia; oxygen starvation; blue lips; marked hypoxia",
            clause="""the patient {be} poorly oxygenated; the sats {be} low; oxygenation {be} poor; the patient {need}
                oxygen; the sats {be} down; the patient {be} short of oxygen""",
            strong_clause="the patient {be} starved of oxygen; the sats {be} in their boots; the patient {go} blue",
            most="worst oxygenated; most hypoxic",
            more="worse oxygenated; more hypoxic",
        ),
        rise=Move(
            """the sats {recover|improve|come up|pick up|go up|climb}; oxygenation {improve|recover}; the patient
                {pink up}; the oxygen {come up}""",
            "recovering sats; improving oxygenation; sats coming up; rising oxygen levels",
        ),
        fall=Move(
            """the sats {drop|fall|go down|slip|dip|tumble}; oxygenation {worsen|deteriorate}; the patient
                {desaturate}; the oxygen {go down|drop}""",
            "falling sats; worsening oxygenation; sats going down; desaturation; dropping oxygen levels",
        ),
        landmarks=(
            Landmark(
                "minimum",
                False,
                90.0,
                "%",
                """a desaturation; hypoxia; a desat; sats under ninety; a dip in the sats below ninety percent; a
                    desaturation event""",
                """the patient {desaturate}; the patient {desat}; the sats {drop|fall|dip} below ninety; the patient
                    {become} hypoxic""",
                without="desaturation; desats; hypoxia; dip below ninety percent; desaturation event",
            ),
            Landmark(
                "mean",
                False,
                92.0,
                "%",
                "hypoxaemia; hypoxemia; persistently low sats; sats under ninety-two on average",
                "the patient {be} hypoxic; the patient {be} hypoxaemic; the sats {average} under ninety-two",
                without="hypoxaemia; hypoxemia",
            ),
            Landmark(
                "minimum",
                True,
                94.0,
                "%",
                "sats above ninety-four throughout; normal sats throughout; good oxygenation throughout",
                """the sats {stay} above ninety-four; the sats {be} fine throughout; the sats never {drop} below
                    ninety-four""",
            ),
        ),
    ),
    Quantity(
        "systolic",
        r"systolic",
        names="""systolic blood pressure; systolic pressure; the systolic; systolic BP; systolic; the upper value; the
            top number; SBP; sys; the systolic reading""",
        plurals="systolics; systolic readings",
        high=State(
            plain="hypertensive",
            noun="high blood pressure; hypertension; a high systolic; a raised BP; an elevated systolic",
            strong_noun="sky-high blood pressure; severe hypertension; a hypertensive crisis",
            clause="the blood pressure {be} up; the BP {run} high; the patient {be} hypertensive",
            most="most hypertensive",
        ),
        low=State(
            plain="hypotensive",
            noun="low blood pressure; hypotension; a low systolic; a soft BP; soft pressures",
            strong_noun="a crashing blood pressure; severe hypotension; shock; circulatory collapse",
            clause="""the blood pressure {be} down; the BP {run} low; the patient {be} hypotensive; the BP {be} in the
                boots""",
            most="most hypotensive",
        ),
        rise=Move(
            "the BP {go up|climb|recover|come up|pick up}; blood pressure {rise|go up|mount}",
            "a climbing blood pressure; a rising BP; BP recovery",
        ),
        fall=Move(
            """the BP {go down|drop|come down|sag|crash}; blood pressure {fall|go down|sag}; the patient {become}
                hypotensive""",
            "a falling blood pressure; a dropping BP; a sagging BP",
        ),
        landmarks=(
            Landmark(
                "minimum",
                False,
                90.0,
                "mmHg",
                "hypotension; a systolic under ninety; a hypotensive episode; a BP crash; a low-pressure episode",
                """blood pressure {crash}; blood pressure {be} dangerously low; the patient {become} hypotensive; the
                    systolic {drop|fall|dip} below ninety; the pressure {crash}""",
                without="hypotension; hypotensive episode; systolic below ninety",
            ),
            Landmark(
                "mean",
                True,
                140.0,
                "mmHg",
                """hypertension; a systolic over one hundred and forty; persistently high blood pressure; sustained
                    hypertension""",
                "the patient {be} hypertensive; the systolic {average} over 140",
                without="hypertension; sustained hypertension",
            ),
            Landmark(
                "maximum",
                True,
                180.0,
                "mmHg",
                "a hypertensive crisis; a systolic over 180",
                "the systolic {shoot} over 180; the systolic {pass} one hundred and eighty",
                without="hypertensive crisis; systolic over one hundred and eighty",
            ),
        ),
    ),
    Quantity(
        "diastolic",
        r"diastolic",
        names="""diastolic blood pressure; diastolic pressure; the diastolic; diastolic BP; diastolic; the lower
            value; the bottom number; DBP; dias; the diastolic reading""",
        plurals="diastolics; diastolic readings",
        high=State(noun="a high diastolic; a raised diastolic; a high bottom number"),
        low=State(noun="a low diastolic; a reduced diastolic; a low bottom number"),
        rise=Move(
            "the diastolic {go up|climb|creep up}; the bottom number {go up}",
            "a climbing diastolic; a rising bottom number",
        ),
        fall=Move(
            "the diastolic {go down|sink|come down}; the bottom number {go down}",
            "a sinking diastolic; a falling bottom number",
        ),
        landmarks=(
            Landmark(
                "mean",
                True,
                90.0,
                "mmHg",
                "diastolic hypertension; a diastolic over ninety",
                "the diastolic {average} over ninety",
                without="diastolic hypertension",
            ),
        ),
    ),
    Quantity(
        "blood pressure",
        r"blood pressure|arterial pressure",
        names="blood pressure; BP; the blood pressure; the BP; MAP; arterial pressure",
        high=State(
            plain="hypertensive",
            noun="high blood pressure; hypertension; a high BP",
            clause="the BP {be} up; the BP {run} high",
        ),
        low=State(
            plain="hypotensive",
            noun="low blood pressure; hypotension; a low BP",
            clause="the BP {be} down; the BP {run} low",
        ),
        rise=Move("the BP {go up|climb|recover}", "a climbing BP"),
        fall=Move("the BP {go down|drop|crash}", "a dropping BP"),
    ),
    Quantity(
        "glucose",
        r"glucose|blood sugar",
        names="blood sugar; glucose; blood glucose; the sugar; sugar level",
        plurals="sugars; glucose levels",
        high=State(
            plain="hyperglycaemic",
            noun="high sugars; hyperglycaemia; high blood sugar",
            clause="the sugar {be} up; the patient {run} high",
        ),
        low=State(
            plain="hypoglycaemic",
            noun="low sugars; hypoglycaemia; low blood sugar",
            strong_noun="a hypo",
            clause="the sugar {be} low; the patient {run} low",
        ),
        rise=Move("the sugar {go up|climb|spike}", "a sugar spike"),
        fall=Move("the sugar {go down|crash|drop}", "a sugar crash"),
    ),
    Quantity(
        "steps walked",
        r"^(step count|steps|activity)\b",
        names="activity; step count; movement; physical activity",
        high=State(
            plain="active; busy",
            strong="very active",
            noun="lots of activity; plenty of walking",
            most="most active",
            more="more active",
        ),
        low=State(
            plain="inactive; lazy; quiet",
            strong="sedentary; bedridden",
            noun="little activity; rest",
            most="laziest",
            more="lazier",
        ),
    ),
    Quantity(
        "sleep",
        r"sleep",
        names="sleep; time asleep; slumber; shut-eye",
        high=State(plain="well rested", noun="plenty of sleep; long sleep; a good night's sleep"),
        low=State(plain="sleepless; restless", noun="little sleep; a short night; sleeplessness"),
    ),
)
EPIDEMICS = (
    Quantity(
        "mortality",
        r"^((all|total|overall)([ -]cause)? (deaths|mortality)|mortality|death toll)",
        names="""mortality; overall mortality; the death toll; total mortality; all-cause mortality; the body count;
            the number of dead; the toll; the death count""",
        plurals="fatalities; total deaths; deaths from all causes; deaths overall; the dead; deaths of any cause",
        high=State(
            plain="deadly; lethal",
            strong="murderous; devastating; grim",
            most="deadliest; most lethal; grimmest",
            more="deadlier; more lethal",
            noun="""many deaths; a high death toll; a lot of deaths; high mortality; excess mortality; excess deaths;
                a heavy toll; more deaths than usual; many fatalities; raised mortality""",
            strong_noun="""a terrible death toll; overflowing morgues; a grim toll; large excess mortality; a mass of
                deaths; a mortality crisis""",
            clause="""many people {die}; the death toll {be} high; people {die} in large numbers; a lot of people
                {die}; mortality {be} up; there {be} excess deaths""",
            strong_clause="""undertakers {be} overworked; people {die} in droves; people {die} like flies; the death
                toll {be} terrible""",
        ),
        low=State(
            most="least deadly",
            more="less deadly",
            noun="""few deaths; a low death toll; low mortality; fewer deaths than usual; a light toll; below-average
                mortality; few fatalities; a deficit of deaths""",
            strong_noun="exceptionally few deaths; minimal mortality",
            clause="""few people {die}; the death toll {be} low; not many people {die}; mortality {be} down; fewer
                people than usual {die}""",
        ),
        rise=Move(
            """more and more people {die}; the death toll {mount|climb|rise|go up|grow}; mortality {go
                up|climb|mount}; deaths {pile up|surge|climb}; the toll {mount}""",
            """a mounting death toll; mounting deaths; a surge in mortality; a climbing death toll; growing numbers
                of dead; rising fatalities""",
        ),
        fall=Move(
            """fewer and fewer people {die}; the death toll {come down|fall|go down|shrink}; mortality {go
                down|ease|recede}; deaths {tail off|ebb|abate}; the toll {ease}""",
            """a falling death toll; abating deaths; receding mortality; dwindling deaths; a shrinking death toll;
                falling fatalities""",
        ),
    ),
    Quantity(
        "epidemic",
        r"influenza|\bflu\b|illness|infection|epidemic|covid|\bcases\b|incidence|prevalence",
        names="""flu activity; influenza activity; flu; ILI; flu-like illness; the flu; flu levels; influenza; the
            epidemic; the outbreak; the bug; ILI""",
        high=State(
            plain="flu-ridden; feverish",
            strong="epidemic; rampant with flu",
            most="flu-ridden; worst-hit; most flu-ridden",
            more="worse for flu",
            noun="""an outbreak; an epidemic; a wave of infections; a bad flu season; a flu wave; lots of flu about;
                widespread flu; a flu outbreak; high flu activity; much illness; many infections; sick season; plenty
                of flu around; a flu peak; many sick people; flu season""",
            strong_noun="""a raging epidemic; rampant flu; a severe flu season; a massive outbreak; a full-blown
                epidemic; an explosion of infections; a terrible flu season""",
            clause="""flu {be} rife; flu {be} going around; there {be} a lot of flu about; the virus {spread}; many
                people {be} ill; many {fall} ill; people {be} off sick; the flu {do} the rounds; half the office {be}
                coughing; influenza {circulate} widely; flu {be} about""",
            strong_clause="""flu {rage}; the epidemic {rage}; flu {be} rampant; the virus {run} riot; everyone {be}
                down with flu; the flu {hit} hard; hospitals {be} swamped""",
        ),
        low=State(
            plain="healthy; flu-light",
            strong="practically flu-free",
            most="healthiest; quietest",
            more="healthier; quieter for flu",
            noun="""a lull; hardly any flu; a quiet flu season; little flu; low flu activity; few infections; a mild
                flu season; not much flu about; the off-season; few sick people; an inter-epidemic lull; a quiet time
                for flu; sporadic flu""",
            strong_noun="next to no flu; practically no flu; virtually no infections; barely any flu",
            clause="""there {be} hardly any flu about; few people {be} ill; flu {be} rare; the virus {be} hardly
                about; flu {lie} low; there {be} little flu; not many {fall} ill; the flu {be} quiet; influenza {be}
                dormant""",
            strong_clause="flu {be} practically absent; next to nobody {have} flu; flu {be} as good as gone",
        ),
        rise=Move(
            """the outbreak {grow|spread|build up|gather pace|worsen|take off|flare up}; the wave {build
                up|build|roll in}; flu {spread|take hold|take off|pick up}; infections {surge|take off|climb|mount};
                the epidemic {grow|gather pace|accelerate}; the season {get going}; more and more people {fall} ill;
                the virus {spread}""",
            """a growing outbreak; a building wave; spreading flu; the onset of the flu season; a worsening epidemic;
                a surge of infections; flu taking hold; a mounting wave; the start of the flu season; an upsurge in
                flu; flu on the rise; accelerating spread""",
        ),
        fall=Move(
            """the outbreak {ebb|die down|wane|fade|recede|peter out|burn out}; the wave {ebb|recede|break|roll
                back}; flu {die down|wane|tail off|ebb away}; infections {drop off|tail off|dwindle|ebb}; the epidemic
                {fade|ease|slow}; the season {wind down|draw} to a close; fewer and fewer people {fall} ill; the virus
                {retreat}""",
            """an ebbing wave; an outbreak dying down; waning flu; the end of the flu season; a fading epidemic; a
                decline in infections; flu on the wane; a receding wave; the tail of the flu season; flu dying out; an
                abating epidemic; slowing spread""",
        ),
    ),
    Quantity(
        "deaths",
        r"deaths|mortality|fatalit",
        names="mortality; the death toll; the toll; the body count",
        high=State(
            plain="deadly; lethal",
            most="deadliest",
            more="deadlier",
            noun="many deaths; a high death toll; a lot of deaths; high mortality; a heavy toll; many fatalities",
            strong_noun="a terrible death toll; a grim toll",
            clause="many people {die}; a lot of people {die}; the death toll {be} high",
        ),
        low=State(
            noun="few deaths; a low death toll; low mortality; few fatalities",
            most="least deadly",
            more="less deadly",
            clause="few people {die}; not many people {die}; the death toll {be} low",
        ),
        rise=Move(
            "more and more people {die}; the death toll {mount|climb|rise}", "a mounting death toll; mounting deaths"
        ),
        fall=Move(
            "fewer and fewer people {die}; the death toll {fall|shrink}", "a falling death toll; dwindling deaths"
        ),
    ),
    Quantity(
        "patients",
        r"^(all|total) patients|patient visits|admissions|hospitali[sz]ations|consultations|\bicu\b",
        names="""the number of patients; patient volume; the caseload; the patient load; attendance; patient numbers;
            footfall""",
        plurals="patient numbers; patient visits; visits; consultations; doctor's visits",
        high=State(
            plain="busy; hectic; crowded",
            strong="overcrowded; overstretched; overrun; swamped",
            most="busiest",
            more="busier; more crowded",
            noun="""busy surgeries; full waiting rooms; many patients; busy clinics; a heavy caseload; a rush of
                patients; long queues at the doctor's""",
            strong_noun="overflowing waiting rooms; a flood of patients; packed clinics; overwhelmed hospitals",
            clause="""the waiting rooms {be} full; the clinics {be} busy; doctors {have} their hands full; patients
                {queue} up""",
            strong_clause="clinics {overflow}; hospitals {be} swamped",
        ),
        low=State(
            plain="quiet; slack",
            strong="dead quiet; deserted",
            most="quietest",
            more="quieter",
            noun="quiet surgeries; empty waiting rooms; few patients; quiet clinics; a light caseload",
            strong_noun="deserted waiting rooms; idle clinics",
            clause="""the waiting rooms {be} empty; the clinics {be} quiet; doctors {have} little to do; few patients
                {turn up}""",
        ),
        rise=Move(
            "patients {flood in|stream in|pour in}; the clinics {fill up|get busier}; the waiting rooms {fill}",
            "a growing caseload; clinics filling up; an influx of patients",
        ),
        fall=Move(
            "patients {stay} away; the clinics {empty|get quieter}; the waiting rooms {empty}",
            "a shrinking caseload; clinics emptying",
        ),
        conditions="clinics; surgeries",
    ),
    Quantity(
        "providers",
        r"reporting providers|providers",
        names="the number of providers; participation; reporting; the number of reporting doctors",
        plurals="reporting practices; participating providers; reports",
        high=State(noun="many reports; good participation; wide reporting"),
        low=State(noun="few reports; poor participation; thin reporting"),
        rise=Move("more and more providers {report|take part}", "growing participation"),
        fall=Move("fewer and fewer providers {report|take part}", "dwindling participation"),
    ),
    Quantity(
        "vaccination",
        r"vaccin",
        names="vaccine uptake; vaccination; immunisation",
        plurals="vaccinations; jabs; shots",
        high=State(noun="many jabs; good uptake; plenty of vaccinations"),
        low=State(noun="few jabs; poor uptake; few vaccinations"),
    ),
)
