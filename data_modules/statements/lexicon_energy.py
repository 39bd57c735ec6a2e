"""Everyday words of energy, prices, trade, traffic and money."""

from __future__ import annotations

from data_modules.statements.quantities import Landmark, Move, Quantity, State

_DEAR = {
    "plain": "expensive; expensive; costly; dear; pricey; steep",
    "mild": "on the dear side; a bit dear; above bargain level; on the expensive side",
    "strong": """exorbitantly expensive; outrageously dear; sky-high; exorbitant; eye-watering; extortionate; ruinous;
        prohibitively expensive; overpriced""",
    "extreme": "astronomically expensive; unaffordable; astronomical; insanely dear",
    "most": "most expensive; dearest; costliest; priciest",
    "more": "dearer; more expensive; costlier; pricier",
}
_CHEAP = {
    "plain": "cheap; cheap; inexpensive; affordable; low-priced; reasonable",
    "mild": "fairly cheap; on the cheap side; not too dear; easy on the purse",
    "strong": """dirt cheap; extremely cheap; dirt-cheap; a steal; a bargain; rock-bottom; knock-down cheap; going for a
        song""",
    "extreme": "ridiculously cheap; laughably cheap; almost free",
    "most": "cheapest; least expensive; most affordable",
    "more": "cheaper; less expensive; more affordable",
}
PRICES = (
    Quantity(
        "fuel price",
        r"(gasoline|petrol|diesel|fuel|heating oil)( retail)? price",
        names="""the price of petrol; the price of gas; the pump price; petrol; gas at the pump; the price at the
            pump; the cost of fuel; fuel cost; the price of a gallon; a gallon of gas; fuel""",
        plurals="pump prices; gas prices; petrol prices; fuel prices; prices at the pump; fuel costs; gasoline prices",
        high=State(
            **_DEAR,
            noun="""expensive petrol; expensive gas; dear fuel; high pump prices; costly gasoline; pain at the pump;
                pricey gas; high fuel costs; expensive fuel; hefty pump prices""",
            strong_noun="""sky-high gas prices; eye-watering pump prices; a fuel price shock; ruinous petrol prices;
                through-the-roof prices""",
            clause="""filling up {be} expensive; fuel {be} dear; gas {cost} a lot; drivers {pay} a lot; it {cost} a
                lot to fill up; petrol {be} pricey; motorists {pay} through the nose; prices {bite}""",
            strong_clause="""filling up {cost} a fortune; gas {cost} an arm and a leg; drivers {groan} at the pump;
                prices {be} through the roof; motorists {be} fleeced""",
        ),
        low=State(
            **_CHEAP,
            noun="""cheap petrol; cheap gas; cheap fuel; low pump prices; affordable gasoline; relief at the pump;
                inexpensive gas; low fuel costs; bargain fuel""",
            strong_noun="dirt-cheap gas; rock-bottom prices; bargain-basement petrol; giveaway prices",
            clause="""filling up {be} cheap; fuel {be} cheap; gas {cost} little; drivers {pay} little; it {cost}
                little to fill up; petrol {be} cheap; motorists {save} money""",
            strong_clause="""gas {cost} next to nothing; fuel {go} for a song; prices {be} on the floor; prices {hit}
                rock bottom""",
        ),
        rise=Move(
            """it {get|become} (dearer|more expensive|pricier); prices {soar|shoot up|surge|jump|climb|go
                up|rocket|creep up|spike|skyrocket|escalate|rally}; fuel {get} dearer; gas {get} more expensive; pump
                prices {climb|go up|surge|march higher}; filling up {get} more expensive; the price {head} north; the
                cost {mount}""",
            """rising prices; a price rise; a price hike; surging pump prices; soaring gas prices; fuel getting
                dearer; a run-up in prices; a rally; price increases; a price surge; dearer petrol; a bull market""",
        ),
        fall=Move(
            """it {get|become} cheaper; prices {slump|tumble|come down|drop|fall|go
                down|plunge|slide|collapse|sink|ease|plummet}; fuel {get} cheaper; gas {get} cheaper; pump prices
                {fall|come down|slide|retreat}; filling up {get} cheaper; the price {head} south; the cost {shrink}""",
            """falling prices; a price drop; a price cut; tumbling pump prices; sliding gas prices; fuel getting
                cheaper; a slide in prices; a sell-off; price decreases; a price slump; cheaper petrol; a bear market""",
        ),
        landmarks=(
            Landmark(
                "maximum",
                True,
                3.0,
                "$/gallon",
                "gas over three dollars [a gallon]; three-dollar gas; petrol above three dollars",
                "gas {pass} three dollars; a gallon {cost} more than three dollars; gas {top} three bucks",
                without="three-dollar gas; gas above three dollars",
            ),
            Landmark(
                "maximum",
                True,
                4.0,
                "$/gallon",
                "gas over four dollars [a gallon]; four-dollar gas",
                "gas {pass} four dollars; a gallon {cost} more than four bucks",
                without="four-dollar gas",
            ),
            Landmark(
                "maximum",
                False,
                2.0,
                "$/gallon",
                "gas under two dollars [a gallon] throughout; sub-two-dollar gas; gas below two bucks all along",
                "gas {stay} under two dollars; gas never {cost} more than two dollars a gallon",
            ),
            Landmark(
                "minimum",
                True,
                3.0,
                "$/gallon",
                "gas above three dollars throughout; no gallon below three dollars",
                "gas {stay} above three dollars; gas never {fall} below three dollars",
            ),
        ),
    ),
    Quantity(
        "price",
        r"\b(prices?|costs?|tariff|fares?)\b",
        names="the price; price; cost; the cost; the going rate; the market price; the asking price; the price level",
        plurals="prices; costs; market prices; rates",
        high=State(
            **_DEAR,
            noun="""high prices; steep prices; expensive times; high costs; a dear market; stiff prices; hefty prices;
                elevated prices; a tight market""",
            strong_noun="""sky-high prices; exorbitant prices; a price spike; scarcity pricing; through-the-roof
                prices; peak prices""",
            clause="""prices {be} steep; prices {run} high; buyers {pay} a lot; it {cost} a lot; the market {be}
                tight; prices {be} up""",
            strong_clause="""prices {be} through the roof; prices {go} through the roof; it {cost} a fortune; it
                {cost} an arm and a leg""",
        ),
        low=State(
            **_CHEAP,
            noun="""low prices; cheap times; bargains; low costs; a cheap market; soft prices; depressed prices; a
                weak market; bargain prices""",
            strong_noun="rock-bottom prices; giveaway prices; a glut; bargain-basement prices; dirt-cheap power",
            clause="""prices {be} soft; prices {run} low; buyers {pay} little; it {cost} little; the market {be} weak;
                prices {be} down""",
            strong_clause="""prices {be} on the floor; prices {hit} rock bottom; it {cost} next to nothing; it {go}
                for a song""",
        ),
        rise=Move(
            """it {get|become} (dearer|more expensive|pricier); prices {soar|shoot up|surge|climb|go
                up|rocket|spike|rally|firm|skyrocket|escalate}; the market {rally|tighten|firm}; the price {head}
                north""",
            """rising prices; a price rise; a rally; a price surge; price increases; climbing prices; firming prices;
                a price hike; an upward market""",
        ),
        fall=Move(
            """it {get|become} cheaper; prices {slump|tumble|come down|go
                down|slide|plunge|collapse|soften|crash|plummet|ease}; the market {slump|weaken|soften}; the price
                {head} south""",
            """falling prices; a price drop; a sell-off; a price slump; price decreases; sliding prices; softening
                prices; a price cut; a downward market""",
        ),
        landmarks=(
            Landmark(
                "minimum",
                False,
                0.0,
                "",
                """negative prices; prices below zero; prices under water; sub-zero prices; prices in the red;
                    producers paying to sell""",
                """prices {go|turn} negative; prices {fall|drop|dip} below zero; the price {turn} negative; producers
                    {pay} to get rid of power""",
                without="negative prices; prices below zero; sub-zero prices",
            ),
            Landmark(
                "maximum",
                True,
                100.0,
                "€/MWh",
                "prices over one hundred euros; three-figure prices; power above a hundred euros",
                "prices {pass} one hundred euros; prices {go} into three figures",
                without="three-figure prices; prices above one hundred euros",
            ),
        ),
    ),
    Quantity(
        "solar power",
        r"(solar|pv|photovoltaic) (generation|power|output|production)",
        names="""solar generation; solar power; solar output; PV output; photovoltaic power; solar; PV; PV generation;
            solar production; output of the solar panels; the solar panels; sun power; power from the sun; rooftop
            solar""",
        high=State(
            plain="sunny",
            noun="""plenty of solar power; a lot of sun on the panels; strong solar output; abundant solar; lots of
                PV; a sunny grid; good solar yield""",
            strong_noun="a flood of solar power; solar panels at full tilt; bumper solar output; peak PV",
            clause="""the panels {produce} a lot; the solar panels {deliver}; the sun {shine} on the panels; solar
                {do} well; PV {deliver} plenty""",
            strong_clause="the panels {run} at full tilt; the panels {work} flat out",
            most="sunniest",
            more="sunnier",
        ),
        low=State(
            plain="dull",
            noun="""little solar power; hardly any solar power; weak solar output; scarce solar; little PV; poor solar
                yield""",
            strong_noun="next to no solar; idle solar panels; barely any PV; panels in the dark",
            clause="""the panels {produce} little; the solar panels {idle}; solar {do} badly; PV {deliver} little;
                there {be} little sun on the panels""",
            most="gloomiest",
            more="duller",
        ),
        rise=Move(
            "solar {pick up|ramp up|come up|grow}; the panels {wake up}; solar output {ramp up|build}",
            "a solar ramp-up; solar picking up; growing PV output",
        ),
        fall=Move(
            "solar {drop off|ramp down|fade|tail off}; the panels {go} quiet; solar output {ramp down|fade}",
            "a solar ramp-down; solar dropping off; fading PV output",
        ),
        landmarks=(
            Landmark(
                "maximum",
                False,
                1e-9,
                "",
                "no solar power at all; no sun on the panels; zero PV; a solar blackout; not a watt of solar",
                "no solar power {be} produced; the panels {produce} nothing; solar {be} at zero throughout",
            ),
        ),
    ),
    Quantity(
        "wind power",
        r"wind (generation|power|output|production)",
        names="""wind generation; wind power; wind output; power from wind; output of the wind farms; wind production;
            the wind farms; wind energy; the turbines; turbine output; wind-generated power; power from the turbines""",
        high=State(
            plain="windy; breezy",
            noun="""plenty of wind power; turbines running hard; strong wind output; abundant wind; lots of wind
                energy; good wind yield; spinning turbines; busy wind farms""",
            strong_noun="a flood of wind power; turbines at full tilt; bumper wind output; turbines flat out",
            clause="""the turbines {produce} a lot; the turbines {spin} fast; the wind farms {deliver}; wind {do}
                well; the turbines {turn} briskly""",
            strong_clause="the turbines {run} flat out; the turbines {go} at full tilt",
            most="windiest",
            more="windier",
        ),
        low=State(
            plain="calm",
            noun="""little wind power; turbines almost standing still; weak wind output; scarce wind; poor wind yield;
                idle turbines; quiet wind farms; a wind drought; a wind lull""",
            strong_noun="next to no wind power; turbines at a standstill; barely any wind output",
            clause="""the turbines {produce} little; the turbines {hardly turn}; the wind farms {idle}; wind {do}
                badly; the turbines {stand} idle""",
            most="calmest",
            more="calmer",
        ),
        rise=Move(
            "wind {pick up|ramp up|come up}; the turbines {speed up|spin up}; wind output {ramp up|build|grow}",
            "a wind ramp-up; turbines spinning up; growing wind output; wind ramping up",
        ),
        fall=Move(
            """wind {drop off|ramp down|die away}; the turbines {slow down|wind down}; wind output {ramp
                down|fade|collapse}""",
            "a wind ramp-down; turbines slowing down; fading wind output; wind ramping down",
        ),
    ),
    Quantity(
        "generation",
        r"(generation|production|output)$",
        names="generation; production; output; power output; the output; yield; power generation",
        high=State(
            plain="productive",
            noun="strong output; high production; plenty of generation; a good yield; abundant supply",
            strong_noun="bumper output; full capacity",
            clause="the plants {run} hard; production {be} up",
        ),
        low=State(
            plain="unproductive",
            noun="weak output; low production; little generation; a poor yield; scarce supply",
            strong_noun="plants standing idle; almost no output",
            clause="the plants {idle}; production {be} down",
        ),
        rise=Move(
            "production {ramp up|pick up|grow}; output {ramp up|pick up}",
            "a ramp-up; growing output; production picking up",
        ),
        fall=Move(
            "production {ramp down|tail off|shrink}; output {ramp down|tail off}",
            "a ramp-down; shrinking output; production cuts",
        ),
    ),
    Quantity(
        "imports",
        r"net imports",
        names="net import; the import balance; the trade balance in power; cross-border flow",
        plurals="net imports; imports; power imports; inflows; electricity imports; imports from the neighbours",
        high=State(
            noun="heavy imports; lots of power from abroad; strong inflows; dependence on imports; large imports",
            strong_noun="massive imports; full interconnectors",
            clause="""a lot of power {come} from abroad; the zone {import} a lot; the neighbours {help} out; the zone
                {rely} on imports""",
        ),
        low=State(
            noun="low imports; lots of exports; small imports; outflows; a power surplus",
            strong_noun="massive exports",
            clause="a lot of power {go} abroad; the zone {import} little; the zone {export} a lot",
        ),
        rise=Move("imports {pick up|ramp up|grow|surge}; more power {come in}", "growing imports; imports picking up"),
        fall=Move(
            "imports {dry up|tail off|shrink|drop away}; less power {come in}", "shrinking imports; imports drying up"
        ),
        landmarks=(
            Landmark(
                "maximum",
                False,
                0.0,
                "",
                """exports all the time; a net exporter; non-stop exports; no imports at any time; power leaving the
                    zone throughout""",
                """power {be} exported all the time; the zone {export} throughout; the zone {be} a net exporter all
                    along""",
            ),
            Landmark(
                "minimum",
                True,
                0.0,
                "",
                """imports all the time; a net importer; non-stop imports; no exports at any time; power entering the
                    zone throughout""",
                """power {be} imported all the time; the zone {import} throughout; the zone {be} a net importer all
                    along""",
            ),
            Landmark(
                "minimum",
                False,
                0.0,
                "",
                "exports at some point; some exports; power sold abroad at times",
                "power {be} exported at times; the zone {export} at some point",
                without="exports; export at any time; power exports",
            ),
        ),
    ),
    Quantity(
        "load",
        r"^(power |electric(al|ity)? |system |grid |zone |heat |gas |water )?(load|demand|consumption)( forecast)?$",
        names="""load; demand; power demand; power consumption; electricity use; the load; consumption; electricity
            demand; the demand; power use; usage; electricity consumption; grid load; power usage; energy use; the
            draw; system demand; energy consumption; offtake; the pull on the grid; electricity demand""",
        plurals="loads; demand levels; power needs",
        high=State(
            plain="power-hungry; high-demand; busy",
            noun="""heavy load; heavy demand; strong demand; high demand; a hungry grid; brisk demand; big
                consumption; heavy usage; a busy grid; high usage; a loaded grid; robust demand""",
            strong_noun="""peak demand; a strained grid; huge demand; a grid at its limits; a grid under strain;
                massive consumption; ravenous demand""",
            clause="""demand {be} strong; people {use} a lot of power; the grid {be} busy; consumers {draw} a lot of
                power; usage {be} up; the grid {be} loaded; households {use} plenty of electricity""",
            strong_clause="""the grid {groan}; the grid {be} stretched to its limit; the grid {creak}; demand {go}
                through the roof; the network {be} strained""",
            most="most power-hungry; busiest",
            more="more power-hungry; busier",
        ),
        low=State(
            plain="low-demand; quiet; slack",
            noun="""light load; weak demand; low demand; a quiet grid; slack demand; small consumption; light usage;
                little demand; low usage; an unloaded grid; sluggish demand; subdued demand""",
            strong_noun="minimal demand; a sleepy grid; a grid idling; tiny demand; almost no demand",
            clause="""demand {be} weak; people {use} little power; the grid {be} quiet; consumers {draw} little power;
                usage {be} down; the grid {idle}; the lights {be} off""",
            strong_clause="the grid {sleep}; hardly anyone {use} power; demand {be} on the floor",
            most="quietest; least power-hungry",
            more="quieter; less power-hungry",
        ),
        rise=Move(
            """demand {pick up|ramp up|grow|surge|climb|build|mount|swell}; the grid {get} busier; usage {go
                up|climb|ramp up}; consumption {pick up|ramp up|grow}; people {switch on}; the pull on the grid {grow}""",
            """a demand ramp; growing demand; demand picking up; ramping load; a surge in demand; climbing
                consumption; an upswing in demand; load ramping up; increasing usage""",
        ),
        fall=Move(
            """demand {drop off|tail off|ease|ebb|ramp down|slacken|shrink|recede}; the grid {get} quieter; usage {go
                down|tail off}; consumption {drop off|tail off|ease}; people {switch off}; the pull on the grid {ease}""",
            """a demand drop; shrinking demand; demand tailing off; load ramping down; a slump in demand; easing
                consumption; a downswing in demand; waning load; decreasing usage""",
        ),
    ),
    Quantity(
        "frequency",
        r"frequency",
        unit=r"Hz",
        names="""frequency; grid frequency; the mains frequency; mains frequency; the hertz; system frequency; the
            grid's heartbeat; network frequency""",
        high=State(
            plain="over-frequency",
            noun="a fast grid; over-frequency; surplus power in the grid",
            clause="the grid {run} fast; there {be} too much power in the grid",
        ),
        low=State(
            plain="under-frequency",
            noun="a slow grid; under-frequency; a shortage of power in the grid",
            clause="the grid {run} slow; there {be} too little power in the grid",
        ),
        rise=Move("the grid {speed up}; frequency {recover|drift up}", "a recovering frequency; a grid speeding up"),
        fall=Move("the grid {slow down}; frequency {sag|drift down}", "a sagging frequency; a grid slowing down"),
        landmarks=(
            Landmark(
                "mean",
                False,
                50.0,
                "",
                "a frequency below 50 Hz on average; less than fifty hertz on average",
                "the grid {run} slow; the frequency {average} under fifty hertz",
            ),
            Landmark(
                "mean",
                True,
                50.0,
                "",
                "a frequency above 50 Hz on average; more than fifty hertz on average",
                "the grid {run} fast; the frequency {average} over fifty hertz",
            ),
            Landmark(
                "minimum",
                False,
                49.9,
                "",
                "a dip of frequency below 49.9 Hz; an under-frequency event",
                "frequency {sag|dip} below 49.9 Hz",
                without="dip below 49.9 Hz; under-frequency event",
            ),
            Landmark(
                "maximum",
                True,
                50.1,
                "",
                "an excursion of frequency above 50.1 Hz; an over-frequency event",
                "frequency {go} above 50.1 Hz",
                without="over-frequency event",
            ),
        ),
    ),
)
TRADE = (
    Quantity(
        "stocks",
        r"\b(stocks?(?! (price|index|market))|inventor(y|ies)|storage|reserves|stockpiles?|fill level|reservoir)\b",
        names="the stock level; the inventory; storage; the stockpile; the fill level",
        plurals="stocks; inventories; reserves; stockpiles; supplies; stores; stock levels",
        high=State(
            plain="well stocked; full",
            strong="overstocked; brimming; full to the brim",
            noun="""ample stocks; plentiful stocks; full tanks; well-filled storage; comfortable inventories; high
                inventories""",
            strong_noun="a glut; overflowing tanks; bulging inventories; brimming storage",
            clause="stocks {be} ample; the tanks {be} full; there {be} plenty in store",
            most="fullest; best stocked",
            more="fuller",
        ),
        low=State(
            plain="depleted; run down",
            strong="almost empty; empty; exhausted",
            noun="tight stocks; thin stocks; low tanks; depleted storage; lean inventories; low inventories",
            strong_noun="a shortage; empty tanks; bare shelves; exhausted reserves",
            clause="stocks {be} tight; the tanks {be} low; supplies {run} short",
            most="emptiest",
            more="emptier",
        ),
        rise=Move(
            "stocks {build|build up|fill up|pile up}; the tanks {fill}; inventories {swell|build}",
            "an inventory build; a stock build; refilling storage; stocks piling up",
        ),
        fall=Move(
            "stocks {run down|draw down|dwindle|shrink}; the tanks {empty}; inventories {shrink|draw down}",
            "an inventory draw; a stock draw; dwindling stocks; destocking",
        ),
    ),
    Quantity(
        "traffic",
        r"traffic|travel volume|vehicles|mobility|passengers|ridership|congestion",
        names="traffic; the traffic; traffic volume; the traffic volume; road traffic",
        plurals="traffic levels; traffic volumes",
        high=State(
            plain="busy; congested; crowded",
            strong="jam-packed; gridlocked; chock-a-block; bumper-to-bumper",
            noun="heavy traffic; busy roads; congestion; full roads; dense traffic; crowded roads; lots of cars",
            strong_noun="traffic jams; gridlock; bumper-to-bumper traffic; clogged roads; rush-hour conditions",
            clause="the roads {be} busy; the roads {be} full; traffic {be} dense",
            strong_clause="nothing {move}; the roads {be} jammed; traffic {crawl}",
            most="busiest; most congested",
            more="busier; more congested",
        ),
        low=State(
            plain="quiet; uncongested",
            strong="deserted; empty",
            noun="light traffic; quiet roads; empty roads; few cars; free-flowing traffic; thin traffic",
            strong_noun="deserted roads; hardly a car on the road",
            clause="the roads {be} quiet; the roads {be} clear; traffic {flow} freely",
            strong_clause="the roads {be} deserted",
            most="quietest",
            more="quieter",
        ),
        rise=Move(
            "traffic {build|build up|pick up|thicken}; the roads {fill up|get busier}",
            "growing traffic; traffic building up; roads filling up",
        ),
        fall=Move(
            "traffic {ease|thin out|die down|clear}; the roads {empty|get quieter}",
            "declining traffic; traffic thinning out; roads emptying",
        ),
        conditions="roads; streets",
    ),
    Quantity(
        "unemployment",
        r"unemployment|jobless",
        names="unemployment; joblessness; the jobless rate; the unemployment rate",
        plurals="jobless numbers; dole queues",
        high=State(
            noun="""many people out of work; high joblessness; long dole queues; mass unemployment; a slack labour
                market""",
            clause="many people {be} out of work; jobs {be} scarce; work {be} hard to find",
        ),
        low=State(
            noun="few people out of work; low joblessness; full employment; a tight labour market",
            clause="few people {be} out of work; jobs {be} plentiful; work {be} easy to find",
        ),
        rise=Move("more and more people {lose} their jobs; joblessness {rise|climb}", "mounting joblessness; layoffs"),
        fall=Move("more and more people {find} work; joblessness {fall|ease}", "falling joblessness; hiring"),
    ),
    Quantity(
        "share price",
        r"\b(stock|share|equity|stock market) (price|index)|\bequities\b|s&p|dow jones|nasdaq|\bftse\b|\bdax\b",
        names="the market; the stock market; the index; the share price",
        plurals="shares; stocks; equities",
        high=State(
            plain="bullish; buoyant",
            strong="frothy; overheated",
            noun="lofty prices; a strong market; high valuations",
            strong_noun="a bubble; record valuations",
            clause="shares {trade} high; the market {be} strong",
        ),
        low=State(
            plain="bearish; depressed",
            strong="in the doldrums; oversold",
            noun="low valuations; a weak market; depressed shares",
            strong_noun="bombed-out shares; a market in the doldrums",
            clause="shares {trade} low; the market {be} weak",
        ),
        rise=Move(
            "shares {rally|surge|go up|gain}; the market {rally|boom|go up}; the bulls {win}",
            "a rally; a bull run; a bull market; gains",
        ),
        fall=Move(
            "shares {slump|slide|tumble|sell off|lose}; the market {crash|slide|go down}; the bears {win}",
            "a sell-off; a slump; a bear market; losses",
        ),
    ),
    Quantity(
        "exchange rate",
        r"exchange rate",
        names="the exchange rate; the currency",
        high=State(noun="a strong currency"),
        low=State(noun="a weak currency"),
        rise=Move("the currency {appreciate|firm|strengthen}", "appreciation"),
        fall=Move("the currency {depreciate|weaken|slide}", "depreciation"),
    ),
    Quantity(
        "interest rate",
        r"interest rate|(bond|treasury|gilt) yield|mortgage rate",
        names="the interest rate; borrowing costs; the rate",
        plurals="rates; interest rates; yields",
        high=State(noun="dear money; high rates; expensive credit; tight money", clause="borrowing {be} expensive"),
        low=State(noun="cheap money; low rates; easy credit; loose money", clause="borrowing {be} cheap"),
        rise=Move("rates {go up|climb}; borrowing {get} dearer", "rate rises; tightening"),
        fall=Move("rates {come down|fall}; borrowing {get} cheaper", "rate cuts; easing"),
    ),
    Quantity(
        "inflation",
        r"inflation|\bcpi\b",
        names="inflation; the cost of living; price growth",
        high=State(
            plain="inflationary",
            noun="high inflation; a cost-of-living squeeze; soaring living costs",
            clause="the cost of living {soar}",
        ),
        low=State(noun="low inflation; stable living costs"),
        rise=Move("inflation {heat up|accelerate}", "accelerating inflation"),
        fall=Move("inflation {cool|ease}", "cooling inflation; disinflation"),
    ),
    Quantity(
        "sales",
        r"\b(sales|revenue|turnover)\b",
        names="business; turnover; trade; revenue",
        plurals="sales; takings",
        high=State(
            plain="busy; brisk",
            strong="booming",
            noun="brisk sales; good business; strong sales",
            strong_noun="booming sales; record takings",
            clause="business {be} good; the tills {ring}",
        ),
        low=State(
            plain="slow; slack; quiet",
            strong="dead",
            noun="sluggish sales; poor business; weak sales; slow trade",
            strong_noun="empty shops",
            clause="business {be} slow; trade {be} slack",
        ),
        rise=Move("business {pick up|boom}; sales {take off}", "an upturn in business"),
        fall=Move("business {slow down|dry up}; sales {flag}", "a downturn in business"),
    ),
)
