"""How the sample company's goods are installed."""

from __future__ import annotations

from doorstep.modules.fsm.schemas import ManualIn

MANUALS = (
    ManualIn(
        sku="WM-7KG",
        texts={
            "en": "1. Take all four transport bolts out of the back and close the holes.\n"
            "2. Stand it level on all four feet and tighten the nuts.\n"
            "3. Connect the inlet hose with its washer; hang the drain hose 60 to 90 cm high.\n"
            "4. Run a rinse at 30 °C and look for leaks.\n"
            "Error E20: the drain is blocked or the hose bent.",
            "hi": "1. पीछे के चारों ट्रांसपोर्ट बोल्ट निकालें और छेद बंद करें।\n"
            "2. मशीन को चारों पैरों पर समतल रखें और नट कसें।\n"
            "3. वॉशर लगाकर पानी की नली जोड़ें; निकासी नली 60 से 90 सेमी ऊँची रखें।\n"
            "4. 30 °C पर रिंस चलाएँ और रिसाव देखें।\n"
            "त्रुटि E20: निकासी बंद है या नली मुड़ी है।",
            "ar": "١. أزل براغي النقل الأربعة من الخلف وأغلق الفتحات.\n"
            "٢. اجعل الغسالة مستوية على أقدامها الأربع وأحكم الصواميل.\n"
            "٣. صل خرطوم الماء مع حلقته، وعلّق خرطوم التصريف على ارتفاع 60 إلى 90 سم.\n"
            "٤. شغّل شطفًا عند 30 درجة وافحص التسرب.\n"
            "الخطأ E20: التصريف مسدود أو الخرطوم مثني.",
        },
    ),
    ManualIn(
        sku="TV-55",
        texts={
            "en": "1. Two people carry it upright; never lay it on the screen.\n"
            "2. Wall: four M8 screws, VESA 300 × 300; check the wall carries 50 kg.\n"
            "3. Hold the power key 10 seconds for the set-up; choose the country first.",
            "hi": "1. दो लोग इसे खड़ा उठाएँ; स्क्रीन पर कभी न लिटाएँ।\n"
            "2. दीवार: चार M8 पेंच, VESA 300 × 300; दीवार 50 किग्रा सह सके।\n"
            "3. सेट-अप के लिए पावर बटन 10 सेकंड दबाएँ; पहले देश चुनें।",
            "ar": "١. يحمله شخصان عموديًا، ولا يوضع على الشاشة أبدًا.\n"
            "٢. الجدار: أربعة براغي M8، VESA 300 × 300، وتأكد أن الجدار يحمل 50 كجم.\n"
            "٣. اضغط زر التشغيل 10 ثوانٍ لبدء الإعداد، واختر البلد أولًا.",
        },
    ),
    ManualIn(
        sku="AC-15T",
        texts={
            "en": "1. Outdoor unit: 30 cm free behind, 2 m in front; fix it on brackets.\n"
            "2. Flare the pipes, tighten, and draw a vacuum for 20 minutes before the valves open.\n"
            "3. The drain falls 1 cm a metre.\n"
            "4. After 10 minutes the outlet is 8 to 12 °C below the room.",
            "hi": "1. बाहरी यूनिट: पीछे 30 सेमी, आगे 2 मीटर खाली; ब्रैकेट पर लगाएँ।\n"
            "2. पाइप फ़्लेयर करके कसें; वाल्व खोलने से पहले 20 मिनट वैक्यूम करें।\n"
            "3. निकासी में प्रति मीटर 1 सेमी ढाल रखें।\n"
            "4. 10 मिनट बाद निकलने वाली हवा कमरे से 8 से 12 °C ठंडी होती है।",
            "ar": "١. الوحدة الخارجية: 30 سم خلفها ومتران أمامها، وتثبّت على حوامل.\n"
            "٢. وسّع أطراف الأنابيب وأحكمها، وفرّغ الهواء 20 دقيقة قبل فتح الصمامات.\n"
            "٣. ميل التصريف 1 سم لكل متر.\n"
            "٤. بعد 10 دقائق يكون الهواء الخارج أبرد من الغرفة بمقدار 8 إلى 12 درجة.",
        },
    ),
)
"""What a technician reads in the cellar; the words of the demo, not of any maker."""
