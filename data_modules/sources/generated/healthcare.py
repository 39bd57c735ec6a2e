"""Simulated bedside monitors: six vital signs at eight beds of an invented hospital, and nursing notes on ten courses.

A series is a bed, a window one shift of one patient: age, sex and habitual values are drawn anew for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from data_modules.corpus import CorpusInfo, Record
from data_modules.sources.generated.simulator import (
    Array,
    Effects,
    Episode,
    Event,
    Simulator,
    Site,
    Windows,
    correlations,
    grade,
    noise,
)
from data_modules.sources.generated.wording import Account, Frame
from trace_lit.channels import Channel

HEART, BREATH, OXYGEN, SYSTOLIC, DIASTOLIC, TEMPERATURE = range(6)


@dataclass(frozen=True)
class Bed(Site):
    """A monitored bed and the patients who are usual there."""

    unit: str
    age: float  # years, mean
    heart: float  # beats/min above the usual
    systolic: float  # mmHg above the usual
    lung: float  # % of saturation below the usual


# name, minutes, share of the length, offset, latitude, unit, age, heart, systolic, lung
BEDS = (
    Bed("Alder bed A", 15, 1.0, 1, 50, "surgical intensive care", 56, 6, -4, 0.5),
    Bed("Alder bed B", 15, 1.0, 1, 50, "surgical intensive care", 58, 5, -3, 0.6),
    Bed("Birch bed A", 15, 1.0, 1, 50, "medical intensive care", 64, 8, -2, 1.6),
    Bed("Cedar bed A", 15, 1.0, 1, 50, "coronary care", 69, 0, 8, 0.6),
    Bed("Cedar bed B", 15, 1.0, 1, 50, "coronary care", 71, -2, 10, 0.8),
    Bed("Elm bed A", 30, 0.5, 1, 50, "the geriatric ward", 82, -1, 7, 1.2),
    Bed("Hazel bed A", 30, 0.5, 1, 50, "the respiratory ward", 66, 4, 3, 2.6),
    Bed("Maple bed A", 30, 0.5, 1, 50, "the trauma ward", 38, 3, -3, 0.0),
)


def _sepsis(e: Episode) -> Effects:
    """Heart and breathing quicken and fever rises; then pressure and saturation fall."""
    return {
        "heart": e.strength * 32 * e.rise(e.draw(3, 5)),
        "breath": e.strength * 9 * e.rise(4),
        "oxygen": -e.strength * 4.0 * e.rise(4, at=1),
        "systolic": -e.strength * 30 * e.rise(e.draw(3, 5), at=1.2),
        "diastolic": -e.strength * 19 * e.rise(4, at=1.2),
        "temperature": e.strength * 1.8 * e.rise(e.draw(2.5, 4.5)),
    }


def _bradycardia(e: Episode) -> Effects:
    """The heart slows all at once; pressure follows a little."""
    slow = e.pulse(0.25, e.draw(1.2, 5), e.draw(0.3, 1.2))
    target = 52 - 11 * e.strength
    return {
        "heart": (target - e.base["heart"]) * slow,
        "breath": 1.0 * slow,
        "systolic": -e.strength * 15 * slow,
        "diastolic": -e.strength * 9 * slow,
    }


def _hypoxia(e: Episode) -> Effects:
    """Saturation falls, breathing and heart try to make up for it, oxygen brings it back."""
    short = e.pulse(e.draw(0.5, 1.5), e.draw(0.8, 3.0), e.draw(0.8, 2.0))
    return {
        "oxygen": -e.strength * 11.0 * short,
        "breath": e.strength * 10 * short,
        "heart": e.strength * 15 * short,
        "systolic": e.strength * 7 * short,
        "diastolic": e.strength * 3 * short,
    }


def _hypertensive_crisis(e: Episode) -> Effects:
    """Both pressures soar and come down slowly under treatment."""
    high = e.pulse(e.draw(0.5, 1.5), e.draw(1.0, 3.0), e.draw(2.0, 4.0))
    return {
        "systolic": e.strength * 58 * high,
        "diastolic": e.strength * 32 * high,
        "heart": e.draw(-4, 12) * high,
        "breath": 1.5 * high,
    }


def _fever(e: Episode) -> Effects:
    """Temperature climbs and the heart with it; pressure and saturation stay."""
    hot = e.pulse(e.draw(2.0, 3.5), e.draw(1.5, 4.0), e.draw(2.0, 4.0))
    return {
        "temperature": e.strength * 2.1 * hot,
        "heart": e.strength * 16 * hot,
        "breath": e.strength * 3.0 * hot,
        "systolic": -2 * hot,
    }


def _haemorrhage(e: Episode) -> Effects:
    """Pressure collapses while the heart races; the body cools; blood and fluids bring a part of it back."""
    bled = e.pulse(e.draw(0.6, 1.8), e.draw(1.0, 3.5), 4) * 0.75 + 0.25 * e.rise(1.5)
    return {
        "systolic": -e.strength * 42 * bled,
        "diastolic": -e.strength * 24 * bled,
        "heart": e.strength * 38 * bled,
        "breath": e.strength * 6 * bled,
        "oxygen": -e.strength * 1.5 * bled,
        "temperature": -e.strength * 0.7 * e.rise(4),
    }


def _atrial_fibrillation(e: Episode) -> Effects:
    """From one reading to the next the heart is fast and irregular."""
    fast = e.pulse(0.25, e.draw(1.5, 6), 0.25)
    return {
        "heart": e.strength * 48 * fast,
        "irregular": (0.6 + 0.4 * e.strength) * fast,
        "systolic": -e.strength * 9 * fast,
        "diastolic": -e.strength * 3 * fast,
        "breath": 2.5 * fast,
    }


def _pain(e: Episode) -> Effects:
    """Heart, breathing and pressure rise together and settle after pain relief; saturation stays."""
    upset = e.pulse(e.draw(0.3, 0.8), e.draw(0.6, 2.5), e.draw(0.6, 1.2))
    return {
        "heart": e.strength * 26 * upset,
        "breath": e.strength * 9 * upset,
        "systolic": e.strength * 27 * upset,
        "diastolic": e.strength * 14 * upset,
        "oxygen": 0.4 * upset,
    }


def _opioid_depression(e: Episode) -> Effects:
    """Breathing slows down, saturation falls after it, heart and pressure sink; the antidote ends it at once."""
    hours = e.draw(0.7, 2.8)
    drowsy = e.pulse(0.8, hours, 0.4)
    return {
        "breath": -e.strength * 0.52 * e.base["breath"] * drowsy,
        "oxygen": -e.strength * 8.5 * e.pulse(1.2, hours - 0.2, 0.5, at=0.2),
        "heart": -e.strength * 10 * drowsy,
        "systolic": -e.strength * 13 * drowsy,
        "diastolic": -e.strength * 7 * drowsy,
    }


def _recovery(e: Episode) -> Effects:
    """Somewhat raised values go back to normal over the shift."""
    left = 1 - e.rise(9, at=-4)
    return {
        "heart": e.strength * 9 * left,
        "breath": e.strength * 2.5 * left,
        "systolic": e.strength * 5 * left,
        "temperature": e.strength * 0.35 * left,
        "oxygen": -e.strength * 1.0 * left,
    }


EVENTS = (
    Event(
        "sepsis",
        _sepsis,
        Account(
            story=(
                "[sepsis|septic deterioration|a(n) {strong} septic course] is [suspected|likely] since {when_noun}: "
                "the patient became [febrile|hot], tachycardic and [short of breath|tachypnoeic] while [the blood "
                "pressure drifted down|hypotension developed].",
                "{when} [the patient deteriorated|the condition worsened] with [rigors|shivering], warm skin and "
                "confusion; [blood cultures were drawn and antibiotics given|broad-spectrum antibiotics and fluids "
                "were started].",
                "[infection with|signs of] [systemic inflammation|circulatory failure]: fever, [fast pulse|racing "
                "heart] and falling pressure from {when_noun} on; [lactate is raised|the septic bundle was begun].",
            ),
            figures=(
                "[now|meanwhile] {temp_max:.1f} °C, pulse {hr_max:.0f}, pressure down to "
                "{sbp_min:.0f}/{dbp_min:.0f} mmHg: septic.",
                "[septic|infected] picture with fever of {temp_max:.1f} °C, {rr_max:.0f} breaths/min and "
                "hypotension of {sbp_min:.0f} mmHg.",
                "heart rate went [up to|to] {hr_max:.0f}/min and temperature to {temp_max:.1f} °C as the systolic "
                "pressure sank to {sbp_min:.0f} mmHg in spite of fluids.",
            ),
            asides=(
                "[noradrenaline|a vasopressor] was [prepared|started] to support the circulation.",
                "the source of infection is [unclear|being looked for]; [urine|sputum] and blood cultures were sent.",
                "saturation sagged [slightly|a little] with the infection.",
            ),
        ),
    ),
    Event(
        "bradycardia",
        _bradycardia,
        Account(
            story=(
                "[sudden|a(n) {strong}] bradycardia {when}[; the patient felt dizzy|; near-syncope|].",
                "{when} the pulse [became very slow|dropped abruptly], [a conduction block|heart block] [is "
                "suspected|was seen on the ECG][; atropine was given|; pacing pads were applied|].",
                "the heart [slowed down markedly|slowed to a crawl] {when} [with pauses on the monitor|and the "
                "patient was pale and faint], [atropine helped in the end|until atropine took effect].",
            ),
            figures=(
                "[slow pulse:|the slow heart rate reached] {hr_min:.0f}/min at its lowest.",
                "the monitor alarmed for a slow rate of {hr_min:.0f}/min with a pressure of {sbp_min:.0f} mmHg.",
                "lowest heart rate {hr_min:.0f}/min after {hr_max:.0f}/min before, breathing unaffected.",
            ),
            asides=(
                "[beta blockers|digoxin and beta blockers] are on hold; cardiology was told about the slow rhythm.",
                "a pacemaker is [considered|discussed].",
                "breathing and saturation were [not affected|normal] while the pulse was slow.",
            ),
        ),
    ),
    Event(
        "hypoxia",
        _hypoxia,
        Account(
            story=(
                "[desaturation|a(n) {strong} desaturation|hypoxia] {when}, with [laboured breathing|air hunger|use "
                "of accessory muscles]; [oxygen by mask|high-flow oxygen] [was given|helped].",
                "oxygen saturation [fell|dropped] {when} and the patient [breathed fast|was gasping]; [a mucus "
                "plug|aspiration|pulmonary oedema] is [suspected|thought likely].",
                "[respiratory distress|lack of oxygen] {when}: [blue lips|cyanosis] and [rapid, shallow "
                "breaths|dyspnoea] until [suction and oxygen|more oxygen] [brought relief|corrected it].",
            ),
            figures=(
                "SpO2 [fell to|was as low as] {spo2_min:.0f} % at {rr_max:.0f} breaths/min before oxygen "
                "[helped|took effect].",
                "desaturated to {spo2_min:.0f} %, pulse {hr_max:.0f}/min, breathing hard at {rr_max:.0f}/min.",
                "lowest saturation {spo2_min:.0f} %, back at {spo2_max:.0f} % on oxygen.",
            ),
            asides=(
                "[a chest film was ordered|blood gases were taken] because of the lack of oxygen.",
                "the oxygen flow was [turned up|raised] and the head of the bed lifted.",
                "[non-invasive ventilation|intubation] is [at hand|not needed for now].",
            ),
        ),
    ),
    Event(
        "hypertensive crisis",
        _hypertensive_crisis,
        Account(
            story=(
                "[a(n) {strong} hypertensive crisis|blood pressure out of control] {when} with [headache|blurred "
                "vision|a red face]; [an infusion of urapidil|labetalol] [was started|brought it down slowly].",
                "{when} the blood pressure [soared|shot up], the patient complained of [a pounding "
                "headache|pressure in the head]; antihypertensives were [given|increased].",
                "[dangerously high|{strong}] hypertension from {when_noun} on, [no chest pain|no stroke signs]; "
                "[nitrates|antihypertensive drugs] [are running|were given].",
            ),
            figures=(
                "pressure [climbed to|peaked at] {sbp_max:.0f}/{dbp_max:.0f} mmHg.",
                "hypertensive values up to {sbp_max:.0f} mmHg systolic, {dbp_max:.0f} diastolic, pulse unremarkable.",
                "a high pressure of {sbp_max:.0f}/{dbp_max:.0f} mmHg was [lowered|brought down] step by step with "
                "drugs.",
            ),
            asides=(
                "the target is a slow reduction of the high pressure.",
                "kidney values and the eye ground are to be checked for damage by the high pressure.",
                "a dose of the [usual pressure tablets|antihypertensive] had been missed.",
            ),
        ),
    ),
    Event(
        "fever",
        _fever,
        Account(
            story=(
                "[fever|a(n) {strong} fever|a rise of temperature] [developed|set in] {when}, [with chills at first|"
                "the patient feels hot and sweats]; circulation [stable|not impaired].",
                "{when} the temperature [climbed|went up] and [paracetamol was given|cooling packs were applied], "
                "[pressure and oxygen were fine|otherwise well].",
                "[feverish|febrile and flushed] from {when_noun} on, pulse a little faster, [drinks well|alert], "
                "[antipyretics given|paracetamol helped].",
            ),
            figures=(
                "the thermometer showed {temp_max:.1f} °C [at its highest|] and the pressure held at {sbp_mean:.0f} "
                "mmHg.",
                "fever up to {temp_max:.1f} °C, pulse {hr_max:.0f}/min, well saturated.",
                "from {temp_min:.1f} °C the temperature rose to {temp_max:.1f} °C; paracetamol given.",
            ),
            asides=(
                "[a viral infection|the wound|a catheter] is thought to be the cause of the fever.",
                "the bed linen was changed after heavy sweating.",
                "fever chart [continued|to be kept]; fluids are offered.",
            ),
        ),
    ),
    Event(
        "haemorrhage",
        _haemorrhage,
        Account(
            story=(
                "[bleeding|a(n) {strong} haemorrhage|acute blood loss] {when}: [pale, cold and clammy|pallor and "
                "cold sweat], [thready pulse|racing pulse] and [collapsing|falling] pressure; [red cells were "
                "transfused|transfusion started].",
                "{when} [fresh blood in the drain|the dressing was soaked with blood|the patient vomited blood]; "
                "[shock developed|the circulation gave way] until [blood and fluids|a massive transfusion] "
                "[helped|worked].",
                "[hypovolaemic shock|volume loss] from {when_noun} on because of [a bleeding ulcer|a bleed after "
                "surgery|an injured vessel]; [surgeons were called|taken to theatre later].",
            ),
            figures=(
                "pressure crashed to {sbp_min:.0f}/{dbp_min:.0f} mmHg at a pulse of {hr_max:.0f}/min from blood loss.",
                "bleeding with a heart rate of {hr_max:.0f}/min and {sbp_min:.0f} mmHg systolic; the skin cooled, "
                "{temp_min:.1f} °C.",
                "after transfusion the systolic pressure recovered from {sbp_min:.0f} mmHg; the bleeding patient "
                "had cooled to {temp_min:.1f} °C.",
            ),
            asides=(
                "haemoglobin [fell|dropped]; [more units of blood|red cells] were ordered.",
                "the patient was [wrapped|warmed] as the body temperature sank with the loss of blood.",
                "clotting is being [checked|corrected]; [endoscopy|angiography] to find the bleeding.",
            ),
        ),
    ),
    Event(
        "atrial fibrillation",
        _atrial_fibrillation,
        Account(
            story=(
                "[new atrial fibrillation|a(n) {strong} attack of atrial fibrillation|fast, irregular heartbeat] "
                "{when}, [palpitations|fluttering in the chest], [rate control was started|amiodarone was given].",
                "{when} the rhythm [jumped|changed at once] to an irregular tachycardia; [the patient felt the "
                "heart stumble|palpitations were reported].",
                "an arrhythmia [started|broke out] {when}: [no P waves|irregularly irregular on the ECG], [then "
                "back to sinus rhythm|cardioversion is planned].",
            ),
            figures=(
                "irregular rate up to {hr_max:.0f}/min, pressure {sbp_mean:.0f} mmHg.",
                "the ventricular rate jumped between readings, {hr_max:.0f}/min at most, in fibrillation.",
                "arrhythmia with a pulse of {hr_max:.0f}/min; before it the sinus rate was near {hr_min:.0f}/min.",
            ),
            asides=(
                "anticoagulation [was begun|is to be decided] because of the arrhythmia.",
                "the pulse deficit was [obvious|felt at the wrist]; potassium and magnesium were topped up.",
                "echo of the heart [requested|shows a large atrium].",
            ),
        ),
    ),
    Event(
        "pain and agitation",
        _pain,
        Account(
            story=(
                "{when} the patient was [in severe pain|agitated and in pain|restless and anxious], [with "
                "everything up|all vital signs raised]; [settled after morphine|calmed down after an analgesic].",
                "[a panic attack|an attack of pain|{strong} agitation] {when}: [pulling at lines|crying "
                "out|sweating and trembling], calm again after [pain relief|reassurance and a sedative].",
                "[pain|anxiety] [was poorly controlled|broke through] {when}; [analgesia was stepped up|the pain "
                "team came] and the patient [fell asleep|relaxed].",
            ),
            figures=(
                "in pain the pulse was {hr_max:.0f}/min, {rr_max:.0f} breaths/min and {sbp_max:.0f} mmHg, all "
                "settled later.",
                "agitated: pressure {sbp_max:.0f}/{dbp_max:.0f} mmHg, heart rate {hr_max:.0f}/min, saturation "
                "{spo2_mean:.0f} %.",
                "restless with {rr_max:.0f} breaths/min and a pulse up to {hr_max:.0f}; after the painkiller "
                "{hr_min:.0f}.",
            ),
            asides=(
                "pain score [high|reviewed]; a pump for self-administered analgesia was explained.",
                "relatives [were with the patient|helped to calm the anxious patient].",
                "saturation was [perfect|full] during the attack.",
            ),
        ),
    ),
    Event(
        "opioid respiratory depression",
        _opioid_depression,
        Account(
            story=(
                "[oversedation|an opioid effect|respiratory depression after morphine] {when}: [hard to rouse|very "
                "drowsy], [slow, shallow breaths|hardly breathing], pinpoint pupils; naloxone [was given|reversed "
                "it].",
                "{when} the patient was [found drowsy|barely rousable] with [few breaths|long pauses between "
                "breaths] after [an opioid dose|the pump dose]; woke up with naloxone.",
                "breathing [slowed down|became slow and weak] {when} [under opioids|after the last opioid|from too "
                "much sedation] and saturation followed; the antidote worked at once.",
            ),
            figures=(
                "only {rr_min:.0f} breaths/min and a saturation of {spo2_min:.0f} % before naloxone.",
                "breathing rate down to {rr_min:.0f}/min, SpO2 {spo2_min:.0f} %, pulse {hr_min:.0f}/min in deep "
                "sedation.",
                "sedated with {rr_min:.0f} breaths per minute; awake after the antidote with {rr_max:.0f}.",
            ),
            asides=(
                "the opioid [pump was stopped|dose was halved].",
                "[capnography|closer watch] was ordered for the sleepy patient.",
                "pupils were [tiny|pinpoint]; the patient remembers nothing.",
            ),
        ),
    ),
    Event(
        "stable recovery",
        _recovery,
        Account(
            story=(
                "[uneventful|quiet] shift, [steady|good] recovery, [all values within limits|vital signs stable].",
                "[recovering well|making good progress]: [ate and slept|sat up in the chair], no complaints, "
                "[monitoring can be reduced|ready for transfer].",
                "the patient is [stable|comfortable and stable], [slowly improving|better from hour to hour]; "
                "[no intervention needed|plan unchanged].",
            ),
            figures=(
                "stable: pulse {hr_mean:.0f}/min, pressure {sbp_mean:.0f}/{dbp_mean:.0f} mmHg, {spo2_mean:.0f} % "
                "saturation.",
                "no alarms; {temp_mean:.1f} °C, {rr_mean:.0f} breaths/min, all calm.",
                "values settled at {hr_mean:.0f}/min and {sbp_mean:.0f} mmHg on average, improving.",
            ),
            asides=(
                "[visitors came|physiotherapy went well]; mood is good.",
                "lines and [drain|catheter] [can be removed|were removed] as progress is good.",
                "no alarms, no pain, good appetite.",
            ),
        ),
    ),
)

FRAME = Frame(
    openings=(
        "{age:.0f}-year-old {sex} in {unit}, {site}.",
        "[{age_word} {sex}|{sex}, {age_word},] in {unit}.",
        "{site}, {unit}, {date}.",
        "[shift note|nursing note|handover], {site}: {age_word} {sex}.",
        "[{unit}, {age_word} {sex}|{unit}, {date}].",
        "{sex} of {age:.0f} years, {unit}.",
    ),
    remarks=(
        "[on average|over the shift] the pulse was {pulse}.",
        "blood pressure [ran|was] {pressure} [over the shift|on the whole].",
        "[baseline saturation|oxygenation] was {oxygen} [for the most part|overall].",
        "mean heart rate {hr_mean:.0f}/min.",
        "mean pressure {sbp_mean:.0f}/{dbp_mean:.0f} mmHg.",
        "breathing [averaged|ran at] {rr_mean:.0f}/min.",
        "saturation averaged {spo2_mean:.0f} %.",
    ),
    closings=(
        "[will be reviewed on the next round|review in the next shift].",
        "the family [was informed|has been told].",
        "[continue monitoring|observation continues].",
        "doctor on duty informed.",
    ),
)

_PULSES = ("[slow|on the slow side]", "[normal|unremarkable]", "[rather fast|raised]", "[fast|clearly raised]")
_PRESSURES = ("[low|on the low side]", "[normal|ordinary]", "[rather high|raised]", "high")
_OXYGENS = ("[poor|low]", "[fair|acceptable]", "[good|fine]", "[excellent|full]")


class _Healthcare(Simulator):
    domain = "healthcare"
    description = (
        "Generated, not measured: a simulator of bedside monitors of invented patients, with notes by a template "
        "grammar. For the demo and for tests; no claim rests on it and nothing in it is medical knowledge to act on."
    )
    channels = (
        Channel("heart rate", "beats/min", "heart rate from the ECG"),
        Channel("respiratory rate", "breaths/min", "breaths a minute"),
        Channel("oxygen saturation", "%", "peripheral oxygen saturation SpO2"),
        Channel("systolic blood pressure", "mmHg", "systolic arterial blood pressure"),
        Channel("diastolic blood pressure", "mmHg", "diastolic arterial blood pressure"),
        Channel("body temperature", "°C", "core body temperature"),
    )
    symbols = ("hr", "rr", "spo2", "sbp", "dbp", "temp")
    resolution = (1, 1, 1, 1, 1, 0.1)
    reported = ("last",) * 6
    instruments = ((HEART,), (BREATH,), (OXYGEN,), (SYSTOLIC, DIASTOLIC), (TEMPERATURE,))
    sites = BEDS
    events = EVENTS
    frame = FRAME
    strengths = ("[mild|slight]", "[moderate|marked|clear]", "[severe|serious|dramatic]")
    grid_minutes = 15
    round_days = 60
    start_hours = tuple(range(24))

    def simulate(self, windows: Windows, rng: np.random.Generator) -> Array:
        of, clock = windows.of, windows.clock
        shape = clock.shape
        linked = correlations(6, {(0, 1): 0.4, (0, 3): 0.25, (3, 4): 0.7, (1, 2): -0.3, (0, 5): 0.2, (0, 4): 0.2})
        slow = noise(rng, shape, 0.25, (1.5, 1.2, 1.0, 1.5, 1.5, 3.0), linked)
        quick = noise(rng, shape, 0.25, (0.05,) * 6, correlations(6, {(3, 4): 0.5}))
        habit = np.linalg.cholesky(linked) @ rng.standard_normal((len(windows), 6, 1))  # (N, 6, 1) of the patient
        age = np.clip(of("age") + 11 * rng.standard_normal((len(windows), 1)), 18, 97)
        windows.traits |= {"age": np.floor(age[:, 0]), "female": rng.integers(0, 2, len(windows)).astype(float)}
        awake = -np.cos(2 * np.pi * (clock - 4) / 24)

        base = {
            "heart": 77 + of("heart") - 0.08 * (age - 60) + 7.5 * habit[:, 0] + 2.5 * awake + 2.6 * slow[:, 0],
            "breath": 16 + 0.4 * of("lung") + 1.6 * habit[:, 1] + 0.6 * awake + 1.1 * slow[:, 1],
            "oxygen": 97.6 - of("lung") - 0.015 * (age - 60) + 0.9 * habit[:, 2] + 0.6 * slow[:, 2],
            "systolic": 124 + of("systolic") + 0.22 * (age - 60) + 10 * habit[:, 3] + 4 * awake + 4.5 * slow[:, 3],
            "diastolic": 71 + 0.4 * of("systolic") - 0.08 * (age - 60) + 6 * habit[:, 4] + 2 * awake + 3.0 * slow[:, 4],
            "temperature": 36.9 + 0.22 * habit[:, 5] + 0.2 * np.cos(2 * np.pi * (clock - 18) / 24) + 0.1 * slow[:, 5],
        }
        effect = self.effects(windows, base, rng)
        moved = [base[name] + effect[name] for name in base]
        for channel, spread in enumerate((1.4, 1.0, 0.4, 2.4, 1.8, 0.05)):
            moved[channel] = moved[channel] + spread * quick[:, channel]
        moved[HEART] = moved[HEART] + 10 * effect["irregular"] * rng.standard_normal(shape)
        slipped = rng.random(shape) < 0.004  # the finger probe is loose
        moved[OXYGEN] = moved[OXYGEN] - slipped * rng.uniform(3, 15, shape)
        moved[DIASTOLIC] = np.minimum(moved[DIASTOLIC], moved[SYSTOLIC] - 14)
        bounds = ((25, 220), (4, 60), (50, 100), (45, 260), (25, 160), (33, 42))
        return np.stack([np.clip(value, *bound) for value, bound in zip(moved, bounds, strict=True)], axis=1)

    def words(self, windows: Windows, n: int, known: Mapping[str, float]) -> dict[str, str]:
        described = {
            "unit": BEDS[windows.site[n]].unit,
            "age_word": grade(known["age"], (35, 60, 80), ("young", "middle-aged", "elderly", "very old")),
            "sex": "[woman|female patient]" if known["female"] else "[man|male patient]",
        }
        if "hr_mean" in known:
            described["pulse"] = grade(known["hr_mean"], (62, 88, 105), _PULSES)
        if "sbp_mean" in known:
            described["pressure"] = grade(known["sbp_mean"], (108, 136, 152), _PRESSURES)
        if "spo2_mean" in known:
            described["oxygen"] = grade(known["spo2_mean"], (92.5, 95, 97.5), _OXYGENS)
        return described


_SIMULATOR = _Healthcare()


def healthcare(instances: int = 1200, length: int = 48, seed: int = 0) -> tuple[CorpusInfo, Iterator[Record]]:
    """Simulated bedside vital signs.

    Beds that report every 15 minutes give windows of `length` steps, those that report every 30 minutes half as many.

    Raises
    ------
    CorpusError
        Fewer instances than beds, or windows that are too short.
    """
    return _SIMULATOR.generate(instances, length, seed)
