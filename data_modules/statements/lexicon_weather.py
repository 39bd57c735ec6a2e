"""Everyday words of the weather and of the air."""

from __future__ import annotations

from data_modules.statements.quantities import Landmark, Move, Quantity, State

WEATHER = (
    Quantity(
        "temperature",
        r"^((mean |average |outside |outdoor |ambient |surface )?(air )?temperature|temp|t2m|dry bulb( temperature)?)$",
        unit=r"^(K|kelvin|°?\s?[CF]|deg(rees)?\s?[CF]?|celsius|fahrenheit)$",
        names="""air temperature; temperature; the temperature; the mercury; the thermometer; the thermometer reading;
            air temp; temp; outdoor temperature; outside temperature; the temperature outside; 2 m temperature; the
            temp; the temperature of the air; dry-bulb temperature""",
        plurals="temperatures; temps; air temperatures; thermometer readings",
        high=State(
            plain="warm; warm; warm; summery; balmy; toasty; warm outside",
            mild="""mild; mild; pleasantly warm; lukewarm; comfortably warm; springlike; nice and warm; agreeable;
                clement; temperate; on the warm side""",
            strong="""hot; hot; hot; really hot; boiling hot; sweltering; scorching; baking; roasting; torrid;
                swelteringly hot; uncomfortably hot; blistering; tropical; piping hot; sizzling; broiling; fiery;
                boiling; hot as an oven; red-hot""",
            extreme="""unbearably hot; scorching hot; blazing hot; blisteringly hot; infernally hot; searing;
                hellishly hot""",
            most="warmest; hottest; hottest; balmiest; mildest",
            more="warmer; warmer; warmer; hotter; milder; balmier",
            noun="""warmth; warm weather; warm air; warm temperatures; mild air; high temperatures; a warm spell;
                balmy air; shirtsleeve weather; T-shirt weather; summery weather; a warm air mass; warm conditions;
                heat; heat""",
            strong_noun="""heat; heat; great heat; sweltering heat; a heatwave; a heat wave; a hot spell; scorching
                heat; a scorcher; blistering heat; sizzling temperatures; hot weather; hot weather; hot air; the dog
                days; intense heat; beach weather; shorts weather; searing heat; baking heat; oppressive heat; a
                roaster; soaring temperatures""",
            clause="""it {be} on the warm side; the mercury {be} high; the thermometer {read} high; we {have} warm
                weather; warmth {prevail}; it {feel} warm; the air {be} warm; no coat {be} needed; warm air {sit} over
                us""",
            strong_clause="""it {be} boiling; we {swelter}; it {be} a scorcher; the heat {be} on; the heat {bite}; the
                place {bake}; it {be} like an oven; the mercury {go} through the roof; the sun {beat} down; it {feel}
                hot; the air {shimmer} with heat; people {sweat}; it {be} hot as hell; it {be} roasting; a heatwave
                {hold sway|grip us}""",
        ),
        low=State(
            plain="cold; cold; cold; chilly; chilly; cold outside; coldish; nippy",
            mild="""cool; cool; fresh; coolish; a bit nippy; rather fresh; crisp; pleasantly cool; on the cool side;
                parky""",
            strong="""bitterly cold; frigid; really cold; icy cold; wintry; freezing cold; bitter; biting; perishing;
                perishingly cold; icy; arctic; ice-cold; frosty; stone cold; piercingly cold; bone-chilling; brass
                monkeys; freezing; polar; numbing; gelid; bleakly cold""",
            extreme="glacial; Siberian; unbearably cold; numbingly cold; cruelly cold; deathly cold; savagely cold",
            most="coldest; coldest; chilliest; iciest; coolest; frostiest",
            more="colder; colder; colder; chillier; cooler; icier; nippier",
            noun="""cold weather; cold air; cold; cold temperatures; low temperatures; chilly weather; a cold spell;
                chill; a chill in the air; cool air; a nip in the air; coat weather; cold conditions; wintry weather;
                jumper weather; sweater weather; a cold air mass""",
            strong_noun="""bitter cold; biting cold; a cold snap; a deep freeze; icy air; arctic air; a big freeze;
                wintry temperatures; extreme cold; freezing weather; polar air; the depths of winter; icy weather;
                piercing cold; plunging temperatures; a hard winter's cold; numbing cold; an arctic blast""",
            clause="""it {be} on the cold side; the mercury {be} low; the thermometer {read} low; we {have} cold
                weather; it {feel} cold; the air {be} cold; there {be} a chill in the air; there {be} a nip in the
                air; you {need} a coat; it {be} jacket weather; cold air {sit} over us; the heating {be} needed""",
            strong_clause="""we {freeze}; people {shiver}; the cold {bite}; it {be} perishing; it {be} bitter; winter
                {have} a grip; a cold snap {hit|grip us}; it {be} brass monkey weather; it {be} cold enough for
                gloves; the cold {cut} to the bone; it {be} icy; it {be} like a freezer""",
        ),
        rise=Move(
            clause="""it {get|grow|become|turn} warmer; it {warm up}; it {warm up}; the air {warm|warm up|heat up};
                the mercury {climb|rise|go up|creep up|shoot up}; temperatures {climb|rise|go up|soar|pick
                up|recover}; the thermometer {climb|rise|go up}; it {heat up}; things {warm up|hot up|heat up}; the
                cold {ease|let up}; the chill {lift|go out of the air}; it {get} milder; the temperature {come up}; it
                {thaw out}; the day {warm up}; warmer air {move in|arrive|flow in|push in}; a warm front {come
                through|pass}""",
            noun="""warming; a warm-up; rising temperatures; a warming trend; warmer air moving in; climbing
                temperatures; a return of warmth; temperatures on the rise; mercury rising; the arrival of warmer air;
                a thaw; warmer air; a rebound in temperature; warm air advection; milder air coming in""",
        ),
        fall=Move(
            clause="""it {get|grow|become|turn} colder; it {cool down|cool off}; it {cool down}; the air {cool|cool
                down}; the mercury {sink|drop|fall|plunge|go down|slide}; temperatures
                {fall|drop|sink|tumble|plunge|slump|dip}; the thermometer {drop|fall|go down|sink}; things {cool
                down|cool off}; the heat {ease|break|let up}; the warmth {fade|go}; it {get} chillier; the temperature
                {come down}; it {turn} cool; the day {cool off}; colder air {move in|arrive|flow in|push in}; a cold
                front {come through|pass|sweep in}""",
            noun="""cooling; a cool-down; falling temperatures; a cooling trend; colder air moving in; sinking
                temperatures; a return of the cold; temperatures on the slide; mercury dropping; the arrival of colder
                air; a chill setting in; a cold front; plunging temperatures; a drop in temperature; cold air
                advection; cooler air coming in""",
        ),
        conditions="weather; conditions; air; weather; days; outdoor conditions",
        landmarks=(
            Landmark(
                "minimum",
                False,
                0.0,
                "°C",
                """frost; frost; a frost; freezing temperatures; temperatures below (zero|freezing); sub-zero
                    temperatures; [air] frost; temperatures under the freezing point; a dip below freezing; minus
                    temperatures; temperatures in minus figures; below-zero readings; a freeze; Jack Frost;
                    sub-freezing temperatures; readings below zero Celsius; black ice weather; a touch of frost;
                    temperatures below thirty-two Fahrenheit""",
                """it {freeze}; it {freeze}; there {be} frost; temperatures {drop|fall|dip|go} below freezing; it
                    {go|drop|fall} below zero; it {get} below freezing; there {be} a frost; puddles {freeze} over; the
                    mercury {fall|drop|sink} below zero; it {dip} below the freezing point; the thermometer {go} into
                    the minus; it {get} cold enough to freeze; you {need} to scrape the windscreen""",
                without="""frost; frost; freezing temperatures; sub-zero temperatures; temperatures below freezing;
                    freezing; frost at any time; sub-freezing readings; ice""",
            ),
            Landmark(
                "maximum",
                False,
                0.0,
                "°C",
                """permanent frost; frost (all day|throughout); temperatures below freezing (throughout|all the
                    time); an ice day; non-stop frost; a day-long freeze; sub-zero temperatures around the clock; not
                    a single reading above freezing; frost day and night""",
                """it never {get} above freezing; it {stay} below freezing; it {be} freezing the whole time; it
                    {stay} below zero; the frost never {lift}; it {freeze} day and night; it {freeze} around the
                    clock; the mercury {stay} below zero; it {remain} below the freezing point all day""",
            ),
            Landmark(
                "maximum",
                True,
                30.0,
                "°C",
                """summer heat; heat over 30 degrees; temperatures above thirty Celsius; a day in the thirties;
                    30-degree heat; a tropical day; temperatures over eighty-six Fahrenheit""",
                "it {be} hotter than 30 degrees; it {top|pass} thirty degrees; the mercury {pass} 30 °C",
                without="thirty-degree heat; temperatures above 30 degrees",
            ),
            Landmark(
                "maximum",
                True,
                25.0,
                "°C",
                "a summer's day; a summer day; summer warmth over 25 °C; temperatures above twenty-five degrees",
                "it {reach} summer warmth over 25 degrees; it {get} above twenty-five degrees; it {be} a summer's day",
                without="summer warmth; temperatures above 25 °C",
            ),
            Landmark(
                "minimum",
                True,
                20.0,
                "°C",
                """a tropical night; a night that never cooled below 20 °C; no cooler than twenty degrees;
                    temperatures above 20 degrees day and night; a sticky night""",
                "it never {cool} below 20 °C; it {stay} above twenty degrees; even the night {bring} no relief",
            ),
            Landmark(
                "minimum",
                True,
                0.0,
                "°C",
                """a frost-free [day|period]; frost-free weather; temperatures above freezing throughout; not a
                    single reading below zero; temperatures that stayed in plus figures""",
                """it {stay} above freezing; it {stay} frost-free; it {be} free of frost; it never {freeze}; the
                    mercury {stay} above zero; it {remain} above zero""",
            ),
            Landmark(
                "minimum",
                False,
                -10.0,
                "°C",
                "severe frost; a hard frost; a hard freeze; double-figure frost; temperatures under minus ten",
                "it {freeze} hard; there {be} a severe frost; it {go} below minus ten",
                without="severe frost; a hard frost; hard frost",
            ),
        ),
    ),
    Quantity(
        "dew point",
        r"dew ?point",
        names="dew point; dewpoint; the dew point; dewpoint temperature",
        high=State(plain="muggy; sticky; humid", noun="high dew points; moist air; sticky air"),
        low=State(plain="dry", noun="low dew points; dry air"),
        conditions="air; weather",
    ),
    Quantity(
        "humidity",
        r"humidity|\brh\b",
        names="""humidity; moisture; air moisture; the moisture in the air; humidity; dampness; RH; rel. humidity; air
            humidity; the hygrometer; the humidity level; atmospheric moisture; the humidity of the air; moisture
            content; relative moisture; the moisture content of the air; saturation""",
        plurals="humidity levels; moisture levels; RH values; humidity readings; hygrometer readings",
        high=State(
            plain="""humid; humid; damp; damp; moist; moist; clammy; humid
                outside; moisture-laden""",
            mild="dampish; on the damp side; slightly damp; a touch humid; a little moist",
            strong="""soaking damp; clammy; saturated with moisture; dripping with moisture; sopping; saturated;
                soggy; moisture-soaked; dripping wet; wringing wet; heavy with moisture; waterlogged; sodden; near
                saturation""",
            extreme="fully saturated; foggy-damp; like a steam room; drenched with moisture",
            most="dampest; most humid; moistest; clammiest",
            more="damper; more humid; moister; clammier",
            noun="""humid air; moist air; damp air; high humidity; plenty of moisture; damp conditions;
                dampness; lots of moisture in the air; a damp feel; moisture in abundance; clammy air;
                bad hair weather; a lot of water vapour""",
            strong_noun="""air close to saturation; soaking damp air; fog-prone air; dripping humidity; saturated air;
                near-saturated air; mist-prone air; air full of moisture; steam-bath humidity; heavy dew""",
            clause="""the air {be} damp; the air {be} heavy with moisture; it {feel} damp; it {feel} clammy; moisture
                {hang} in the air; there {be} plenty of moisture about; there {be} a lot of moisture in the air; it
                {be} on the damp side; the hygrometer {read} high; dampness {prevail}; laundry {refuse} to dry;
                washing {take} ages to dry""",
            strong_clause="""the air {be} saturated; the air {drip} with moisture; the air {be} close to saturation;
                everything {be} damp; the air {be} thick with moisture; it {be} like a steam bath; the walls {sweat}""",
        ),
        low=State(
            plain="dry; dry; dry; crisp; dry outside",
            mild="dryish; on the dry side; comfortably dry; pleasantly dry; less humid",
            strong="""bone dry; bone-dry; parched; arid; desert-dry; desiccated; dry as a bone; dry as dust; very
                crisp; tinder-dry; moisture-starved; parching; dried out; lacking moisture; skin-cracking; bone dry""",
            extreme="desert-like; Saharan; utterly dry; dry as the Sahara; devoid of moisture",
            most="driest; least humid; crispest; least damp",
            more="drier; less humid; less damp; crisper",
            noun="""dry air; low humidity; little moisture; dryness; a lack of moisture; dry conditions; crisp air;
                hardly any moisture in the air; dry weather conditions; good drying weather; not much moisture; air
                short of moisture; good laundry weather""",
            strong_noun="""parched air; bone-dry air; arid air; desert air; extremely low humidity; tinder-dry
                conditions; scant moisture; air without moisture; desiccating air; next to no moisture""",
            clause="""the air {be} dry; it {feel} dry; there {be} little moisture in the air; the air {lack} moisture;
                it {be} on the dry side; the hygrometer {read} low; dryness {prevail}; washing {dry} quickly; laundry
                {dry} well; moisture {be} scarce; moisture {be} lacking""",
            strong_clause="""the air {be} bone dry; the air {be} parched; there {be} hardly any moisture in the air;
                lips {crack}; the air {suck} everything dry; static {crackle}; there {be} next to no moisture about""",
        ),
        rise=Move(
            clause="""it {get|become|turn} (damper|more humid|moister); the air {get|become}
                (moister|damper|more humid); moisture {build up|increase|return|move in|stream in|creep in}; the air
                {moisten|grow} damper; the air {fill} with moisture; dampness {creep in|set in|spread}; humidity
                {build|build up|go up|climb}; things {get} damper; moist air {move in|flow
                in|arrive}; it {turn} clammy; the hygrometer {climb|rise}; the dryness {ease|end}""",
            noun="""air getting damper; increasingly humid air; moistening; rising moisture; moisture moving in;
                growing dampness; a build-up of moisture; moistening air; an influx of moist air; increasing humidity;
                dampness setting in; more and more moisture in the air; moisture on the increase""",
        ),
        fall=Move(
            clause="""it {get|become|turn} (drier|less humid|less damp); the air {dry out}; the air
                {get|become} drier; moisture {decrease|dwindle|leave|disappear|fade|vanish}; the air {dry|dry up};
                humidity {ease|come down|go down}; the dampness {go|fade|clear|lift}; things
                {dry out|dry off}; dry air {move in|flow in|arrive}; it {dry out|dry off|dry up}; it {turn} crisp; the
                hygrometer {fall|drop}; the mist {burn off|clear}""",
            noun="""air drying out; increasingly dry air; drying; falling moisture; moisture leaving the air; waning
                dampness; a loss of moisture; drying air; an influx of dry air; decreasing humidity; a drying trend;
                less and less moisture in the air; moisture on the decrease; a drying out""",
        ),
        conditions="air; weather; conditions",
        landmarks=(
            Landmark(
                "maximum",
                True,
                97.0,
                "%",
                """saturation; saturated air; air at saturation; fog weather; near-100 percent humidity; humidity
                    close to one hundred percent; air that could hold no more water""",
                """the air {become|get} saturated; the humidity {reach} saturation; the air {hold} all the water it
                    could""",
                without="saturation; saturated air; air near saturation",
            ),
            Landmark(
                "minimum",
                False,
                30.0,
                "%",
                "desert-dry moments; humidity below thirty percent; fire-weather humidity; very dry air at some point",
                "the humidity {drop|fall|dip} below thirty percent; the air {become} as dry as in a desert",
                without="humidity below thirty percent",
            ),
        ),
    ),
    Quantity(
        "pressure",
        r"(^|air |barometric |atmospheric |station |sea.level |surface )pressure$|^(mslp|slp)$|barometer",
        unit=r"^(hPa|mbar|mb|Pa|kPa|inHg|mmHg)?$",
        names="""air pressure; pressure; barometric pressure; atmospheric pressure; the barometer; the barometer
            reading; the pressure; the glass; sea-level pressure; barometer; surface pressure; the pressure of the
            air; barometric reading; baro""",
        plurals="barometer readings; pressure readings; pressures; isobars; barometric readings",
        high=State(
            plain="high-pressure; anticyclonic",
            most="highest-pressure; most anticyclonic",
            noun="""[an area of] high pressure; an anticyclone; a high barometer; high pressure and settled weather; a
                high; a ridge of high pressure; a ridge; a high-pressure system; a barometric high; settled weather;
                anticyclonic weather; fine-weather pressure; a blocking high; fair-weather pressure; a high glass;
                elevated pressure; a pressure high; anticyclonic conditions; an area of high; the barometer up""",
            strong_noun="""a strong high; a strong anticyclone; a powerful high; a very high glass; a bumper high; a
                fat high""",
            clause="""the barometer {be} high; the glass {be} high; a high {dominate|sit overhead|be in charge|rule
                the weather}; high pressure {prevail|dominate|reign|be in control|be in charge}; an anticyclone {sit
                overhead|dominate}; the barometer {stand|read} high; the glass {stand} high; the barometer {point} to
                fair; a ridge {build}; the needle {point} to fine; high pressure {hold sway}; we {be} under a high;
                things {be} settled""",
        ),
        low=State(
            plain="low-pressure; cyclonic",
            most="lowest-pressure; most cyclonic",
            noun="""[an area of] low pressure; a depression; a low barometer; low pressure and unsettled weather; a
                low; a trough [of low pressure]; a cyclone; a low-pressure system; a barometric low; unsettled
                weather; cyclonic weather; foul-weather pressure; a low glass; reduced pressure; a pressure low;
                cyclonic conditions; an area of low; the barometer down""",
            strong_noun="a deep low; a deep depression; a deep cyclone; a very low glass; a vigorous low; a big low",
            clause="""the barometer {be} low; the glass {be} low; a low {dominate|sit overhead|be in charge|rule the
                weather}; low pressure {prevail|dominate|reign|be in control|be in charge}; a depression {sit
                overhead|dominate|pass}; the barometer {stand|read} low; the glass {stand} low; the barometer {point}
                to rain; a trough {lie} over us; the needle {point} to stormy; low pressure {hold sway}; we {be} under
                a low; things {be} unsettled""",
        ),
        rise=Move(
            clause="""the barometer {rise|go up|climb|recover}; the glass {rise|go up|climb}; the barometer {be} on
                the rise; the barometer {be} rising; a high {build|move in|approach|arrive|push in}; a ridge
                {build|build in}; high pressure {build|move in|build in|return}; the pressure {build|recover|come
                up|go up}; a low {move away|fill}; the needle {swing up}; the glass {be} going up; the weather
                {settle}; the low {pull away}""",
            noun="""a rising barometer; a rising glass; building pressure; a building high; a high building; a
                climbing barometer; pressure on the rise; recovering pressure; a high moving in; a barometric rise; a
                filling low; a ridge building; the barometer going up; pressure building; pressure coming back up; the
                glass going up""",
        ),
        fall=Move(
            clause="""the barometer {fall|go down|drop|sink|slide}; the glass {fall|go down|drop}; the barometer {be}
                on the slide; the barometer {be} falling; a low {approach|move in|deepen|arrive|come in}; a trough
                {approach|move in}; low pressure {approach|move in|deepen|arrive}; the pressure {drop away|slide|come
                down|go down|ebb}; a high {move away|collapse|weaken}; the needle {swing down}; the glass {be} going
                down; the high {give way}; the weather {go downhill}; the bottom {fall out of the barometer}""",
            noun="""a falling barometer; a falling glass; sinking pressure; a deepening low; a low deepening; a
                dropping barometer; pressure on the slide; collapsing pressure; a low moving in; a barometric fall; a
                weakening high; a low approaching; the barometer going down; pressure dropping off; pressure tendency
                down; the glass going down""",
        ),
        landmarks=(
            Landmark(
                "mean",
                True,
                1013.25,
                "hPa",
                "pressure above the standard atmosphere; above-standard pressure; more than one atmosphere",
                "the pressure {be} above the standard atmosphere; the barometer {be} above standard on average",
            ),
            Landmark(
                "mean",
                False,
                1013.25,
                "hPa",
                "pressure below the standard atmosphere; below-standard pressure; less than one atmosphere",
                "the pressure {be} below the standard atmosphere; the barometer {be} below standard on average",
            ),
        ),
    ),
    Quantity(
        "wind",
        r"^(mean |average )?wind( ?speed| strength| velocity| force)?$",
        unit=r"^(m/s|m s-1|km/h|kmh|mph|kn|kt|knots?|kts)$",
        names="""wind speed; wind; the wind; wind strength; wind speed; wind velocity; the breeze; air movement;
            windspeed; wind force; the strength of the wind; the speed of the wind; the anemometer reading""",
        plurals="winds; the winds; wind speeds; winds; breezes; wind readings; anemometer readings",
        high=State(
            plain="windy; windy; windy; breezy; breezy; blowy; gusty; draughty; blustery; windswept; windy outside",
            mild="breezyish; a bit blowy; a little breezy; on the windy side; airy",
            strong="""stormy; blustery; wild and windy; squally; tempestuous; wild; howling; boisterous; roaring;
                blowing hard; windy as hell; very blowy; rough; gale-swept; gusty and wild; turbulent""",
            extreme="ferociously windy; violently windy; storm-lashed; savagely windy",
            most="windiest; stormiest; breeziest; blusteriest; wildest; blowiest",
            more="windier; windier; breezier; stormier; gustier; blowier; more blustery",
            noun="""strong wind; strong winds; high winds; a stiff breeze; fresh winds; plenty of wind; a good breeze;
                brisk winds; a lively breeze; a strong breeze; lots of wind; windy weather; blustery weather; a fresh
                breeze; good sailing wind; kite-flying weather; a brisk breeze; gusts; a healthy breeze; enough wind
                to sail""",
            strong_noun="""very strong winds; howling winds; stormy weather; a blow; a big blow; wild winds; roaring
                winds; a hoolie; near-gale winds; rough winds; violent winds; hat-snatching wind; powerful winds; a
                proper blow; raging winds; winds that rattle the windows; a stormy blast; gusty weather""",
            clause="""it {be} windy out; the wind {blow} hard; the wind {be} up; a stiff breeze {blow}; there {be}
                plenty of wind; it {blow}; there {be} a good breeze; it {be} blowing; the wind {blow} strongly; strong
                winds {blow}; a fresh wind {blow}; the flags {fly}; washing {flap} on the line; there {be} whitecaps;
                the leaves {dance}""",
            strong_clause="""the wind {howl}; the wind {roar}; it {blow} hard; it {blow} like mad; the wind {whistle};
                it {blow} a hoolie; the wind {rage}; the trees {bend}; the wind {rattle} the windows; it {blow} great
                guns; the wind {batter} everything; umbrellas {turn} inside out; the windows {rattle}; it {be} blowing
                a blast""",
        ),
        low=State(
            plain="calm; calm; calm; still; still; quiet; calm outside; tranquil",
            mild="fairly calm; light-winded; not very windy; nearly calm; gently breezy; less windy",
            strong="""dead calm; windless; almost windless; perfectly still; utterly calm; becalmed; breathless;
                airless; flat calm; motionless; stock-still; glassy calm; without a breath of wind; stagnant; deathly
                still; stone still""",
            extreme="completely windless; completely becalmed; totally still; mirror-calm",
            most="calmest; stillest; quietest; least windy",
            more="calmer; stiller; less windy; quieter; less breezy",
            noun="""light wind; light winds; weak winds; little wind; hardly any wind; a gentle breeze; light airs;
                slack winds; a light breeze; calm weather; calm conditions; faint breezes; little air movement; still
                air; low winds; calm; calmness; stillness; not much wind; feeble winds; quiet air; light air; a lack
                of wind; a whisper of wind""",
            strong_noun="""a dead calm; next to no wind; no wind to speak of; barely a breath of wind; a flat calm;
                stagnant air; the doldrums; scarcely a breeze; windless weather; practically no wind; not a breath of
                wind; glassy seas; absolute stillness; almost no wind""",
            clause="""the wind {be} light; there {be} hardly any wind; there {be} little wind; the air {be} still; it
                {be} calm out; a gentle breeze {blow}; the wind {blow} gently; the wind {be} slack; the wind {hardly
                blow}; calm {prevail}; flags {hang} limp; the wind {be} nothing to speak of; there {be} not much wind;
                smoke {rise} straight up; there {be} a lack of wind""",
            strong_clause="""there {be} barely a breath of wind; not a leaf {stir}; not a leaf {move}; the air {hardly
                stir}; there {be} next to no wind; the sails {hang} slack; the air {stand} still; nothing {stir}; the
                water {be} like glass; boats {be} becalmed; the sea {be} like a mirror; the wind {be} asleep""",
        ),
        rise=Move(
            clause="""the wind {pick up|freshen|strengthen|get stronger|get up|increase|build|rise|kick up|whip
                up|come up}; it {get|become|turn|grow} (windier|breezier|gustier); the breeze {freshen|stiffen|pick
                up|strengthen}; winds {pick up|increase|strengthen|ramp up|build}; the wind {gain} strength; it
                {start} to blow; a breeze {spring up|get up}; the wind {blow} up; the calm {end|break}; the gusts
                {grow|get stronger}""",
            noun="""a strengthening wind; freshening winds; wind picking up; increasing winds; winds getting up; a
                freshening breeze; a rising wind; building winds; winds on the increase; a stiffening breeze; a
                growing breeze; wind getting stronger; a blow getting up; a pick-up in the wind""",
        ),
        fall=Move(
            clause="""the wind {die down|ease|weaken|get weaker|slacken|drop|subside|fall away|let
                up|moderate|abate|die away}; it {get|become|turn|grow} (calmer|stiller|less windy); the breeze
                {die|ease|fade|drop}; winds {die down|ease|weaken|ease off|decrease|subside}; the wind {lose}
                strength; it {calm down}; the wind {blow} itself out; the wind {go} down; calm {return|set in}; the
                gusts {ease|die away}; the wind {back off}""",
            noun="""a weakening wind; easing winds; wind dying down; decreasing winds; winds dropping off; a fading
                breeze; a falling wind; subsiding winds; winds on the decrease; a slackening breeze; a dying breeze;
                wind getting weaker; a calming down; a lull setting in; abating winds""",
        ),
        conditions="weather; conditions; weather; seas",
        landmarks=(
            Landmark(
                "maximum",
                True,
                17.2,
                "m/s",
                "[a] gale; gale-force winds; a gale; force 8; winds of gale force; Beaufort 8 or more; a full gale",
                """it {blow} a gale; it {reach} gale force; the wind {reach} gale force; a gale {blow}; it {blow}
                    force 8""",
                without="gale; gales; gale-force winds; winds of gale force",
            ),
            Landmark(
                "maximum",
                True,
                13.9,
                "m/s",
                "a near gale; force 7; near-gale winds; a moderate gale; Beaufort 7; yachtsman's gale",
                "it {blow} a near gale; it {blow} force 7; the wind {reach} force seven; whole trees {be} in motion",
                without="force 7; near gale; winds of force seven",
            ),
            Landmark(
                "maximum",
                True,
                24.5,
                "m/s",
                "a storm; storm-force winds; force 10; a whole gale",
                "there {be} a storm; it {blow} force 10",
                without="storm; storm-force winds",
            ),
            Landmark(
                "maximum",
                True,
                10.8,
                "m/s",
                """a strong breeze at times; force 6; force 6 or more; strong-breeze winds; a yachtsman's blow; small
                    craft weather""",
                "it {blow} force 6 or more; the wind {reach} force six; large branches {move}; it {reach} force 6",
                without="force 6; winds of force six; strong breeze",
            ),
            Landmark(
                "maximum",
                True,
                8.0,
                "m/s",
                "a fresh breeze; force 5 or more; Beaufort 5; small trees swaying; white horses",
                "it {reach} force 5; the wind {reach} a fresh breeze; small trees {sway}; there {be} white horses",
                without="force 5; fresh breeze; white horses; winds of force five",
            ),
            Landmark(
                "maximum",
                False,
                5.5,
                "m/s",
                """nothing more than a gentle breeze; no more than force 3; winds of force three at most; gentle
                    winds only""",
                "the wind never {get} past a gentle breeze; it never {blow} more than force 3",
            ),
            Landmark(
                "minimum",
                False,
                0.3,
                "m/s",
                """a dead calm at some point; a moment of dead calm; a lull to nothing; force 0 at some point; a calm
                    spell""",
                """the wind {die} completely for a while; the wind {drop} to nothing; the wind {fall} calm; it {fall}
                    dead calm""",
                without="dead calm; moment of calm; calm spell; lull to nothing",
            ),
        ),
    ),
    Quantity(
        "gust",
        r"gusts?\b",
        names="gust speed; the gusts; peak gust; gust strength",
        plurals="gusts; wind gusts; squalls",
        high=State(
            plain="gusty; squally; blustery",
            most="gustiest",
            more="gustier",
            noun="strong gusts; fierce gusts; squalls",
        ),
        low=State(plain="calm", most="calmest", more="calmer", noun="weak gusts; hardly any gusts"),
        conditions="weather; conditions",
    ),
    Quantity(
        "precipitation",
        r"\b(precipitation|rain(fall)?|snow(fall)?|precip)\b",
        names="""rain; rainfall; precipitation; precip; the rain; the rain gauge; the downpour; rainwater; wet
            weather; the amount of rain""",
        plurals="rainfall totals; rain amounts; showers",
        high=State(
            plain="wet; wet; rainy; rainy; showery; drizzly; damp; soggy",
            mild="dampish; a bit wet; drizzly",
            strong="""soaking wet; very rainy; pouring wet; torrential; drenching; sodden; bucketing; streaming wet;
                teeming""",
            extreme="torrentially wet; diluvial",
            most="wettest; rainiest; soggiest",
            more="wetter; rainier; soggier",
            noun="""heavy rain; plenty of rain; a lot of rain; downpours; rainy weather; wet weather; steady rain;
                soaking rain; persistent rain; showers galore; umbrella weather; a good soaking; a drenching; heavy
                showers""",
            strong_noun="""torrential rain; a cloudburst; a deluge; cats and dogs; a soaker; pouring rain; driving
                rain; lashing rain; masses of rain; flooding rains""",
            clause="""it {rain} a lot; the rain {fall} heavily; it {pour}; it {be} wet out; you {need} an umbrella; it
                {rain} hard; there {be} plenty of rain; it {be} brolly weather""",
            strong_clause="""it {bucket down}; it {pour}; it {rain} cats and dogs; the heavens {open}; it {tip down};
                it {chuck} it down; it {pelt down}; it {lash down}; we {get} soaked; the rain {pour} down""",
        ),
        low=State(
            noun="little rain; hardly any rain; light rain; not much rain; a few drops; a little drizzle",
            clause="there {be} little rain; it {hardly rain}; there {be} hardly any rain",
        ),
        rise=Move(
            clause="the rain {get heavier|set in|intensify|pick up}; it {get} wetter; it {start} raining harder",
            noun="rain setting in; intensifying rain; rain getting heavier; worsening rain",
        ),
        fall=Move(
            clause="the rain {ease|let up|ease off|peter out|die out|slacken|move away}; it {get} drier",
            noun="rain easing off; rain dying out; rain letting up; easing rain",
        ),
        conditions="weather; conditions; weather",
        landmarks=(
            Landmark(
                "maximum",
                True,
                0.0,
                "mm",
                """[some] rain; wet weather; showers; rain; a shower; a wet spell; measurable rain; some
                    precipitation; a bit of rain""",
                """it {rain}; there {be} some rain; some rain {fall}; it {be} not dry throughout; it {rain} at some
                    point; we {get} wet; there {be} a shower; rain {fall}; the ground {get} wet""",
                without="rain; rain; rainfall; precipitation; showers; rain at all; wet weather",
            ),
            Landmark(
                "maximum",
                False,
                1e-9,
                "mm",
                """no rain; dry weather; not a drop of rain; no precipitation at all; a dry spell; rain-free weather;
                    rainless weather; an absence of rain""",
                """it {stay|be|remain} dry; no rain {fall}; there {be} no rain; it {stay} dry throughout; not a drop
                    {fall}; the umbrella {stay} at home; the rain {hold off}""",
            ),
            Landmark(
                "maximum",
                True,
                7.6,
                "mm",
                "heavy rain at some point; a heavy shower; a proper downpour",
                "it {pour} at some point; there {be} a downpour",
                without="heavy rain; downpour; heavy showers",
            ),
        ),
    ),
    Quantity(
        "radiation",
        r"(solar|global|shortwave) (ir)?radia(tion|nce)|irradiance|sunshine|insolation",
        names="""solar radiation; sunshine; sunlight; radiation; the sun; irradiance; insolation; global radiation;
            daylight; the strength of the sun; solar irradiance; the sunshine""",
        high=State(
            plain="sunny; sunny; sunny; bright; bright; sunlit; fair; fine",
            mild="brightish; fairly fine; reasonably sunny",
            strong="""brilliantly sunny; very sunny; glaringly bright; dazzling; sun-drenched; sun-soaked; glorious;
                blazing; radiant""",
            extreme="blindingly bright; blazingly sunny",
            most="sunniest; brightest; finest",
            more="sunnier; brighter; finer",
            noun="""strong sun; plenty of sunshine; bright sunshine; lots of sun; strong sunlight; fine weather; sunny
                spells; good sunshine; a lot of sun; abundant sunshine; sunglasses weather; unbroken sunshine""",
            strong_noun="""blazing sunshine; wall-to-wall sunshine; brilliant sunshine; glorious sunshine; a blazing
                sun; sunburn weather""",
            clause="""the sun {shine}; the sun {be} out; there {be} plenty of sun; the sun {shine} brightly; it {be}
                bright out; we {get} lots of sun; the sun {come} out""",
            strong_clause="""the sun {blaze}; the sun {beat down}; there {be} wall-to-wall sunshine; the sun {blaze}
                down""",
        ),
        low=State(
            plain="dull; dull; dim; gloomy; grey; gray; murky; overcast; sombre; drab",
            mild="dullish; subdued; hazy",
            strong="dark; almost sunless; sunless; dismal; leaden; pitch-grey; very gloomy; dark as night",
            extreme="almost dark; virtually sunless",
            most="gloomiest; darkest; dullest; greyest; murkiest",
            more="gloomier; darker; duller; greyer; murkier",
            noun="""little sun; weak sunlight; hardly any sunshine; grey skies; gloom; weak sun; little sunshine; dull
                weather; not much sun; a lack of sun; grey weather; feeble sunshine; poor light""",
            strong_noun="next to no sun; deep gloom; barely any sunlight; leaden skies; practically no sunshine",
            clause="""there {be} little sun; the sun {hardly shine}; it {be} gloomy out; we {see} little of the sun;
                the sun {hide}; there {be} a lack of sunshine; greyness {prevail}""",
            strong_clause="the sun never {break} through; there {be} next to no sun; it {be} dark",
        ),
        rise=Move(
            clause="""it {get|become} (brighter|sunnier|lighter); it {brighten up}; the sun {break through|come
                out|get stronger}; the sky {brighten|lighten}; things {brighten up}; the light {grow}""",
            noun="brightening skies; the sun breaking through; growing sunshine; a brightening",
        ),
        fall=Move(
            clause="""it {get|become} (darker|gloomier|duller); the sun {fade|get weaker|disappear|vanish}; the light
                {fade|go|fail}; the sky {darken}; the gloom {thicken}""",
            noun="darkening skies; fading light; waning sunshine; the sun disappearing",
        ),
        conditions="weather; conditions; skies",
        landmarks=(
            Landmark(
                "maximum",
                False,
                1e-6,
                "W/m²",
                "darkness throughout; no sun at all; no daylight; pitch darkness",
                "it {be} dark all the time; the sun never {shine}",
            ),
            Landmark(
                "maximum",
                True,
                800.0,
                "W/m²",
                "a blazing midday sun; strong noon sun; sun at full strength at some point",
                "the sun {blaze} at some point; the sun {reach} full strength",
                without="strong sun at any time; blazing sun",
            ),
        ),
    ),
    Quantity(
        "cloud",
        r"cloud",
        names="cloud cover; cloudiness; cloud; the clouds; the cloud cover; overcast",
        plurals="clouds",
        high=State(
            plain="cloudy; cloudy; overcast; grey; gray; dull; gloomy",
            mild="partly cloudy; a bit cloudy; half cloudy",
            strong="completely overcast; leaden; heavily overcast; blanketed in cloud; socked in",
            most="cloudiest; greyest",
            more="cloudier; greyer",
            noun="plenty of cloud; thick cloud; grey skies; overcast skies; a lot of cloud; heavy cloud; cloudy skies",
            strong_noun="a leaden sky; a blanket of cloud; total cloud cover; unbroken cloud",
            clause="""clouds {cover} the sky; it {be} cloudy out; the sky {be} grey; the sky {be} overcast; clouds
                {hang} low""",
        ),
        low=State(
            plain="clear; clear; almost cloudless; fair; bright",
            mild="mostly clear; fairly clear",
            strong="cloudless; crystal clear; blue-skied; unclouded",
            most="clearest",
            more="clearer; less cloudy",
            noun="clear skies; few clouds; blue skies; hardly any cloud; a clear sky; little cloud; starry skies",
            strong_noun="cloudless skies; not a cloud in the sky; unbroken blue sky; crystal-clear skies",
            clause="the sky {be} clear; there {be} few clouds; there {be} hardly a cloud in the sky; the sky {be} blue",
        ),
        rise=Move(
            clause="""it {cloud over}; it {get|become} cloudier; clouds {gather|build up|roll in|move in|thicken}; the
                sky {cloud over}""",
            noun="gathering clouds; clouds rolling in; thickening cloud; clouding over",
        ),
        fall=Move(
            clause="""it {clear up}; the sky {clear}; the clouds {break|break up|part|disperse|lift|thin out}; it
                {brighten up}""",
            noun="clearing skies; clouds breaking up; a clearing; clouds parting",
        ),
        conditions="weather; conditions; skies",
    ),
    Quantity(
        "visibility",
        r"visibility",
        names="visibility; the visibility; seeing distance; visual range",
        high=State(
            plain="clear",
            noun="good visibility; clear views; distant views; clear air",
            most="clearest",
            more="clearer",
        ),
        low=State(
            plain="foggy; misty; hazy; murky",
            strong="thick with fog; fogbound; pea-souperish",
            most="foggiest; murkiest",
            more="foggier; murkier; hazier",
            noun="poor visibility; fog; mist; murk; haze; bad visibility; low visibility",
            strong_noun="a pea-souper; thick fog; dense fog",
            clause="you {see} hardly anything; there {be} fog about; fog {lie} over the land",
        ),
        rise=Move(
            "the fog {lift|clear|thin|burn off}; visibility {improve}; it {clear}", "fog lifting; improving visibility"
        ),
        fall=Move(
            "fog {roll in|set in|form|close in}; visibility {worsen|deteriorate}; the mist {thicken}",
            "fog forming; worsening visibility",
        ),
        conditions="weather; conditions; air",
    ),
    Quantity(
        "snow depth",
        r"snow ?(depth|cover|pack)",
        names="snow depth; the snow cover; the snow on the ground; snowpack",
        high=State(
            plain="snowy",
            noun="deep snow; lots of snow on the ground; a thick snow cover",
            most="snowiest",
            more="snowier",
        ),
        low=State(noun="little snow; a thin snow cover"),
        rise=Move("the snow {get deeper|pile up}; it {snow}", "snow piling up"),
        fall=Move("the snow {melt|thaw|go}", "melting snow; thawing snow"),
        conditions="weather; conditions",
    ),
    Quantity(
        "air quality",
        r"air quality|\baqi\b|pm ?2\.?5|pm ?10|ozone|\bno2\b|particulate|nitrogen dioxide|sulphur dioxide|carbon monoxide",
        names="air pollution; pollution; the pollution level; smog; the air pollution",
        plurals="pollution levels; pollutant levels",
        high=State(
            plain="polluted; smoggy; dirty; hazy; unhealthy",
            strong="choking; filthy; toxic; foul; hazardous",
            most="most polluted; smoggiest; dirtiest",
            more="more polluted; smoggier; dirtier",
            noun="polluted air; bad air; smog; dirty air; foul air; poor air quality; heavy pollution; unhealthy air",
            strong_noun="choking smog; hazardous air; filthy air; toxic air",
            clause="the air {be} bad; smog {hang} in the air",
            strong_clause="the air {be} hardly breathable; smog {choke} the city; people {cough}",
        ),
        low=State(
            plain="clean; fresh",
            strong="pristine; crystal clean; pure",
            most="cleanest; freshest",
            more="cleaner; fresher",
            noun="clean air; good air; fresh air; good air quality; little pollution; breathable air",
            strong_noun="pristine air; pure air",
            clause="the air {be} clean; the air {be} good to breathe",
        ),
        rise=Move(
            "pollution {build up|worsen}; the air {get worse|get dirtier}; smog {build up|thicken}",
            "building pollution; worsening air",
        ),
        fall=Move(
            "pollution {ease|clear}; the air {get cleaner|clear|improve}; the smog {lift|clear}",
            "clearing air; easing pollution",
        ),
        conditions="air; conditions",
    ),
    Quantity(
        "water level",
        r"(water|river|lake|sea|tide) level|\btide\b|river stage|discharge|streamflow|river flow",
        names="water level; the river; the water; river level; the tide; the water level",
        high=State(
            noun="high water; a swollen river; a full river; flood water",
            strong_noun="a flood; a river in spate; flooding",
            clause="the river {be} high; the water {be} up; the river {run} high",
            most="fullest",
        ),
        low=State(
            noun="low water; a shallow river",
            strong_noun="a dried-up river; a trickle",
            clause="the river {be} low; the water {be} down",
        ),
        rise=Move(
            "the water {rise|come up}; the river {swell|rise}; the tide {come in}",
            "rising water; a swelling river; an incoming tide",
        ),
        fall=Move(
            "the water {recede|go down|drain away}; the river {drop|go down}; the tide {go out}",
            "receding water; an ebbing tide",
        ),
    ),
    Quantity(
        "waves",
        r"wave height|swell|sea state",
        names="wave height; the swell; the sea; sea state",
        plurals="waves; seas",
        high=State(
            plain="rough; choppy",
            strong="stormy; very rough",
            noun="rough seas; high waves; big waves; a heavy swell",
            most="roughest",
            more="rougher",
        ),
        low=State(
            plain="calm; smooth",
            strong="flat calm; glassy",
            noun="calm seas; small waves; a flat sea; a slight sea",
            most="calmest",
            more="calmer",
        ),
        rise=Move("the sea {get up|build|get rougher}", "building seas"),
        fall=Move("the sea {go down|calm down|subside}", "subsiding seas"),
        conditions="seas; conditions",
    ),
)
