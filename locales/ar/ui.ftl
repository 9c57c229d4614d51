# review: draft, not reviewed by a native speaker
# What the screens say. Plain words, formal address, short enough for a button.

language-fr = Français
mediator-language = لغتكم
person-language = لغة الشخص
choose = اختاروا…
saved = تم الحفظ
saving = جارٍ الحفظ…
act-lock = قفل الجلسة
act-unlock = فتح الجلسة
act-next = التالي
act-back = رجوع
act-later = المتابعة لاحقًا
act-home = الصفحة الرئيسية
act-start = تسجيل شخص
act-open = متابعة
act-outbox = عرض صندوق الإرسال
act-sync = الإرسال الآن
act-discard = حذف هذه البيانات
act-scan = مسح صفحة ضوئيًا
act-remove-page = إزالة هذه الصفحة
act-mend = تصحيح
act-confirm = كل شيء صحيح: إعطاء موعد
act-to-print = طباعة الورقة
act-print-again = الطباعة من جديد
act-came-out-yes = نعم، خرجت الورقة
act-came-out-no = لا، لم يخرج شيء
act-nothing-came = لم يخرج شيء
act-next-without-paper = المتابعة دون انتظار الورقة
act-finish = إنهاء
act-stay = ما زلنا هنا
unlock-title = فتح جلسة
field-mediator = اسمكم
field-pin = رمزكم السري
home-title = الصفحة الرئيسية
connection = الاتصال
connection-online = متصل بالخدمة المركزية
connection-offline = غير متصل: العمل مستمر والإرسال ينتظر
connection-refused = الخدمة المركزية ترفض هذا الجهاز: أبلغوا الدعم
last-contact = آخر اتصال: { $day } الساعة { $time }
never-contact = لم يحدث أي اتصال بعد
outbox = صندوق الإرسال
outbox-waiting = { $count ->
    [0] لا شيء ينتظر الإرسال
    [one] عنصر واحد ينتظر الإرسال
    [two] عنصران ينتظران الإرسال
    [few] { $count } عناصر تنتظر الإرسال
   *[other] { $count } عنصرًا ينتظر الإرسال
}
outbox-held = { $count ->
    [one] عنصر واحد مستلم ولم يعالج بعد
    [two] عنصران مستلمان ولم يعالجا بعد
   *[other] عناصر مستلمة ولم تعالج بعد: { $count }
}
outbox-set-aside = { $count ->
    [one] عنصر واحد وُضع جانبًا: أبلغوا الدعم
    [two] عنصران وُضعا جانبًا: أبلغوا الدعم
   *[other] عناصر وُضعت جانبًا: { $count }. أبلغوا الدعم
}
outbox-empty = صندوق الإرسال فارغ.
lease = مواعيد دون اتصال
lease-free = { $count ->
    [0] لا موعد محجوزًا: دون اتصال سيحصل الشخص على ترتيب
    [one] يمكن إعطاء موعد مؤكد واحد دون اتصال
    [two] يمكن إعطاء موعدين مؤكدين دون اتصال
    [few] يمكن إعطاء { $count } مواعيد مؤكدة دون اتصال
   *[other] يمكن إعطاء { $count } موعدًا مؤكدًا دون اتصال
}
lease-days = من { $first } إلى { $last }
unfinished = زيارات لم تكتمل
unfinished-draft = إدخال البيانات جارٍ
draft-of = إدخال بدأه { $who }، ولا يفتحه إلا هو أو مشرف
unfinished-kept = الموعد محفوظ والورقة لم تطبع بعد
unfinished-printed = طُبعت الورقة، والزيارة لم تُختم بعد
unfinished-ask = هل خرجت الورقة؟
no-name = بلا اسم
person-title = الشخص
hint-names = كما في الوثيقة، أو كما يكتبه الشخص
hint-agdref = 9 أو 10 أرقام؛ اتركوه فارغًا إن لم يكن لدى الشخص رقم
birth-legend = ما هو معروف عن تاريخ الميلاد
birth-form-whole = اليوم والشهر والسنة
birth-form-year = السنة فقط
birth-form-customary = 1 يناير مكتوب عُرفًا في الأوراق
contact-title = الاتصال بالشخص (اختياري)
represented = الشخص قاصر أو له ممثل
relation-parent = أحد الوالدين
relation-guardian = وصي
relation-child-welfare = خدمة رعاية الطفولة
field-family-names = اسم العائلة
field-given-names = الاسم الشخصي
field-birth = تاريخ الميلاد
field-birth-form = تاريخ الميلاد
field-birth-day = يوم الميلاد
field-birth-month = الشهر (1 إلى 12)
field-birth-year = السنة
field-birth-place = مكان الميلاد
field-nationality = الجنسية
field-agdref = رقم الأجنبي (AGDREF)
field-declared = لا يقدم الشخص أي وثيقة هوية
field-contact-phone = الهاتف
field-contact-email = البريد الإلكتروني
field-contact-postal = العنوان البريدي
field-representative = الممثل
field-representative-family-names = اسم عائلة الممثل
field-representative-given-names = الاسم الشخصي للممثل
field-representative-relation = صفة الممثل
field-procedure = الإجراء
field-limit = المهلة
field-limit-right = الحق المطلوب حمايته
field-limit-last-day = آخر يوم مفيد
field-limit-days = عدد الأيام
field-limit-evidence = المستند المقدم
field-renewal-expires-on = آخر يوم في صلاحية التصريح (اختياري)
field-renewal-regime = طلب التجديد عبر الإنترنت
field-lang = لغة الشخص
nationality-stateless = عديم الجنسية
procedure-title = الإجراء
procedure-legend = ما يطلبه الشخص
procedure-first-permit = أول تصريح إقامة
procedure-renewal = تجديد تصريح الإقامة
procedure-duplicate = بدل ضائع أو مسروق
procedure-change-of-status = تغيير الصفة
procedure-change-of-address = تغيير العنوان
procedure-exceptional-admission = القبول الاستثنائي للإقامة
procedure-family-reunification = لمّ شمل الأسرة
procedure-refugee-travel-document = وثيقة سفر للاجئ
procedure-naturalisation = التجنيس
limit-legend = هل يمكن أن يسقط حق قبل الموعد؟
limit-none = لا توجد مهلة
limit-protection-order = أمر حماية
limit-court-injunction = أمر من المحكمة
limit-permit-expiry = انتهاء صلاحية التصريح
renewal-title = التصريح المطلوب تجديده
regime-legend = هل يُطلب هذا التجديد عبر الإنترنت (قائمة المادة R.431-2)؟
regime-listed = نعم
regime-other = لا
regime-unknown = لا أعرف
renewal-too-early = الوقت مبكر للإيداع: يبدأ الإيداع في { $day }. لن يكون الموعد قبل هذا اليوم.
renewal-limit-first = يبدأ الإيداع في { $day }، لكن المهلة لا تحتمل انتظار هذا اليوم: هي التي تحدد الموعد.
renewal-in-time = في الوقت المناسب: يمكن إيداع الملف حتى { $day }.
renewal-late = انتهت فترة الإيداع في { $day }. سجلوا الشخص مع ذلك؛ وليحضر معه ما يثبت الخطوات التي قام بها.
renewal-uncertain = حُسب باحتياط، من 120 إلى 60 يومًا قبل انتهاء التصريح: تحققوا هل يُطلب التجديد عبر الإنترنت.
hint-day = اليوم/الشهر/السنة، مثل 31/12/2030
hint-evidence = مرجع القرار أو التصريح
scan-title = الوثائق
scan-text = ضعوا الصفحة في الماسح الضوئي. تُشفَّر كل صفحة فورًا. يمكنكم المتابعة دون وثائق.
scan-busy = جارٍ المسح الضوئي…
scan-count = { $count ->
    [0] لا صفحات
    [one] صفحة واحدة
    [two] صفحتان
    [few] { $count } صفحات
   *[other] { $count } صفحة
}
page-number = الصفحة { $number }
readback-title = مراجعة البيانات
readback-ask = يرجى التحقق: هل كل شيء صحيح؟
readback-problems = { $count ->
    [one] أمر واحد يجب تصحيحه قبل إعطاء الموعد
    [two] أمران يجب تصحيحهما قبل إعطاء الموعد
   *[other] أمور يجب تصحيحها قبل إعطاء الموعد: { $count }
}
readback-name = الاسم الكامل
readback-birth = تاريخ الميلاد
readback-birth-place = مكان الميلاد
readback-nationality = الجنسية
readback-agdref = رقم الأجنبي (AGDREF)
readback-declared = وثيقة الهوية
readback-representative = الممثل
readback-contact = للاتصال بكم
readback-procedure = الإجراء
readback-limit = المهلة الواجب احترامها
readback-renewal = آخر يوم في صلاحية التصريح المطلوب تجديده
readback-pages = الصفحات الممسوحة
date-title = تم حفظ الموعد
date-title-rank = تم حفظ الترتيب
date-intro = موعدكم:
date-hour = الساعة { $time }
rank-intro = أنتم مسجلون في قائمة الانتظار.
rank-text = سيُعطى لكم موعد مؤكد. احتفظوا برمزكم: به تعرفون الموعد.
rank-at-latest = سيتم استقبالكم في أجل أقصاه:
rank-held = هذا الموعد محفوظ لكم. وقد يُعطى لكم موعد أقرب: ستخبركم بذلك ورقة جديدة.
rank-told = لا يوجد أي موعد اليوم في هذا المكان. أُبلغت المحافظة بذلك في { $day } على الساعة { $time }.
code = رمز المتابعة
source-online = الموعد من الخدمة المركزية.
source-lease = موعد مؤكد من المواعيد المحجوزة لهذا الجهاز، دون اتصال.
source-rank = لا موعد متاحًا هنا: أُعطي ترتيب، والخدمة المركزية تبحث عن موعد أقرب.
date-limit = آخر يوم مفيد: { $day }
date-opens = يمكن إيداع الملف ابتداءً من { $day }: الموعد ليس قبل ذلك.
after-limit = هذا الموعد بعد آخر يوم مفيد. تم إبلاغ المحافظة؛ أخبروا الشخص أيضًا.
only-here = الموعد موجود الآن على هذا الجهاز فقط: اطبعوا الورقة الآن.
only-here-rank = الترتيب موجود الآن على هذا الجهاز فقط: اطبعوا الورقة الآن.
print-title = الطباعة
print-not-sent = لم يُرسل شيء إلى الطابعة بعد.
print-sent = أُرسلت إلى الطابعة. انتظروا الورقة.
print-printed = تمت الطباعة: انتهت الطابعة.
print-waiting = الطابعة تنتظر.
print-failed = فشلت الطباعة. الموعد ما زال محفوظًا.
print-ask = هل خرجت الورقة من الطابعة؟
print-copy = إن لم تخرج الورقة، انسخوا هذا الرمز للشخص. يمكن لأي جهاز طباعتها.
done-title = انتهت الزيارة
done-take = خذوا ورقتكم واحتفظوا بها.
done-copy = احتفظوا بالرمز الذي نسختموه.
done-keep = احضروا في الموعد المبين مع وثائقكم.
done-clear = عند الإنهاء تختفي بيانات الشخص من الشاشة.
record-registration = تسجيل
record-print = طباعة
record-incarnation = استئناف السجل من جديد
record-dated = موعد جديد
record-piece = وثيقة
record-release = موعد مُعاد
record-advance-request = طلب موعد أقرب
record-cancellation = إلغاء
record-reinstatement = استعادة المكان
record-state-waiting = على هذا الجهاز فقط
record-state-held = استلمته الخدمة المركزية
record-state-applied = عالجته الخدمة المركزية
record-state-set-aside = وُضع جانبًا: أبلغوا الدعم
tries = { $count ->
    [one] محاولة واحدة
    [two] محاولتان
    [few] { $count } محاولات
   *[other] { $count } محاولة
}
idle-title = هل ما زلتم هنا؟
idle-text = بعد { $seconds } ثانية تُمسح الشاشة وتُقفل. البيانات المدخلة تبقى محفوظة.
notice-quarantined = كتب جهازان باسم هذا الجهاز. لن يُسلَّم مواعيد احتياطية إلى أن يتحقق منه موظف من المحافظة. يبقى إعطاء المواعيد ممكنًا عند وجود اتصال. اتصلوا بالمحافظة.
notice-disk-older = يعمل هذا الجهاز على نسخة أقدم من بياناته. قد لا يظهر على الشاشة أشخاص سُجّلوا بعدها، وأوراقهم تبقى صالحة. أبلغوا المحافظة بذلك.
notice-central-forgot = كانت الخدمة المركزية قد فقدت تسجيلات من هذا الجهاز، وهي تُرسَل إليها من جديد. اتركوا الجهاز متصلًا حتى لا يبقى شيء في الانتظار.
notice-central-newer = الخدمة المركزية أحدث من هذا الجهاز وتخبره بأمور لا يستطيع قراءتها بعد. لم يضع شيء: اطلبوا من الدعم تحديث الجهاز.
notice-central-audit-back = سجل الخدمة المركزية، الذي يبيّن من قرأ الملفات وغيّرها، أقصر مما كان أو صار سجلًا آخر. يواصل الجهاز عمله ويحتفظ بالدليل. أبلغوا المحافظة.
followup-title = البحث عن تسجيل
followup-help = اكتبوا رمز المتابعة الموجود على الورقة وتاريخ الميلاد. الورقة التي طُبعت على جهاز آخر تُوجد عندما تتوفر الشبكة.
followup-year = إذا لم يكن على الورقة سوى سنة الميلاد فالسنة تكفي.
act-find-paper = بحث
act-reprint = طباعة الورقة
act-followup = عاد الشخص ومعه ورقته
readback-none-shown = لا يقدم الشخص أي وثيقة
followup-old-paper = إذا أحضر الشخص ورقة أقدم فاستعيدوها منه.
hint-limit-days = ابتداءً من اليوم

record-paper = ورقة من جهاز آخر
paper-help = أو اقرؤوا الرمزين المربعين على الورقة: ضعوها في الماسح الضوئي، أو اقرؤوهما بالقارئ اليدوي.
paper-typed = الرموز التي قرأها القارئ اليدوي
act-show-paper = قراءة الورقة
act-other-paper = ورقة أخرى
act-bring-paper = إرسال هذه الورقة
act-open-shown = عرض الموعد الحالي
paper-date = الموعد: { $at }
paper-at-latest = الاستقبال في أجل أقصاه: { $at }
paper-bring-help = طُبعت هذه الورقة على جهاز آخر. إذا ضاع ذلك الجهاز أو تعطل فأرسلوا الورقة: تأخذ الخدمة المركزية الموعد منها.
paper-brought = سُجلت الورقة في سجل هذا الجهاز، وتُرسل إلى الخدمة المركزية مع الاتصال المقبل. أعيدوا الورقة إلى الشخص: فهي تبقى صالحة.
paper-door-only = لم يُقرأ الرمز الثاني: يُحفظ الموعد، وتُطلب بقية المعلومات من جديد. يمكنكم قراءة الورقة مرة أخرى.
elsewhere-intro = هذه الورقة من جهاز آخر. تقول الخدمة المركزية:
elsewhere-none = لا يوجد موعد بعد. التسجيل محفوظ.
verdict-valid = ورقة أصلية
verdict-forged = ورقة مزورة. لا تحتفظوا بها رغمًا عن الشخص؛ اقترحوا تسجيلًا جديدًا وأبلغوا الدعم.
verdict-replaced = ورقة حلت محلها ورقة أحدث
verdict-cancelled = التسجيل ملغى. اقترحوا تسجيلًا جديدًا.
verdict-unknown-issuer = ورقة من جهة لا يعرفها هذا الجهاز. اتصلوا بالموقع المذكور على الورقة.
verdict-look-issued-later-than-now = ورقة أصلية تحتاج إلى تحقق: تاريخ إصدارها متقدم على وقت هذا الجهاز.
verdict-look-kiosk-lost = ورقة يجب أن يتحقق منها موظف: أُعلن فقدان الجهاز الذي أصدرها، ولم تستلم الخدمة المركزية التسجيل. أرسلوا الورقة بالزر أدناه.
paper-replaced-by = الموعد الجديد: { $at }. استعيدوا الورقة القديمة.
verdict-unreadable = تعذرت قراءة الرموز. نظفوا الزجاج وضعوا الورقة مستوية وأعيدوا المحاولة.

set-aside-help = خزنة هذا الجهاز لا تُفتح. يمكنكم وضعها جانبًا كما هي والمتابعة بخزنة جديدة: التسجيلات التي استلمتها الخدمة المركزية تبقى صالحة، وتعود الأخرى من أوراقها. ثم أبلغوا الدعم.
act-set-aside = وضع الخزنة جانبًا والمتابعة
notice-dated-too-late = أُعطي موعد بينما كان هذا الجهاز بلا شبكة، ومرّ يومه قبل أن يعلم به الجهاز. إيصال الشخص يبقى صالحًا: أبلغوا المحافظة لتعطي موعدًا آخر.
notice-date-moved = الموقع مغلق في أيام كان فيها لأشخاص مسجَّلين في هذا الجهاز موعد: لديهم الآن موعد جديد. يُظهرهم صندوق الإرسال برمز المتابعة تحت «موعد جديد»: أخبروهم واطبعوا استدعاءهم الجديد. لم يعد القديم صالحًا.
notice-retired = أُخرج هذا الجهاز من الخدمة: لن يُسلَّم مواعيد احتياطية بعد الآن. الأوراق التي سُلّمت تبقى صالحة. أرسلوا ما ينتظر، ثم وجّهوا الأشخاص إلى جهاز آخر.
notice-kiosk-lost = أُعلن أن هذا الجهاز مفقود أو مسروق: لم تعد الخدمة المركزية تسمعه، وما يسلّمه من أوراق منذ ذلك سيفحصه موظف. اتصلوا بالمحافظة. أرسلوا من ينتظر إلى جهاز آخر؛ وإن لم يوجد فتابعوا: أوراقهم حين تُقرأ في جهاز آخر تعيد تسجيلاتهم.
notice-central-other = ما يجيب باسم الخدمة المركزية لا يعرف هذا الجهاز. تابعوا: المواعيد تأتي من الاحتياطي. أبلغوا الدعم.
notice-vault-set-aside = لم تكن خزنة هذا الجهاز تُفتح: وُضعت جانبًا وحلت محلها خزنة جديدة. أبلغوا الدعم، واقرؤوا أوراق من يعود.

notice-storage-low = قرص هذا الجهاز يمتلئ. العمل مستمر؛ أبلغوا فريق الدعم ليُفرغ مساحة فيه.
notice-storage-full = قرص هذا الجهاز شبه ممتلئ: لا يمكن بدء تسجيل جديد. يمكن إنهاء الزيارات الجارية. أبلغوا فريق الدعم.
end-of-day = نهاية اليوم
end-may-switch-off = يمكنكم إطفاء هذا الجهاز.
end-vault-aside = خزنة قديمة وُضعت جانبًا قد تحفظ تسجيلات لم تصل إلى الخدمة المركزية. لا تمسحوها وأبلغوا الدعم.
end-first = قبل إطفاء هذا الجهاز:
first-papers = هناك أشخاص لم يأخذوا أوراقهم: افتحوا كل زيارة أدناه واطبعوا الورقة وأنهوها.
first-send = ما ينتظر يمكن إرساله الآن: اختاروا «الإرسال الآن».
first-export = الخدمة المركزية لا تجيب. صدّروا ما ينتظر إلى مفتاح USB، أو اتركوا هذا الجهاز في مكان آمن حتى عودة الشبكة.
first-storage = القرص شبه ممتلئ: أبلغوا فريق الدعم قبل صباح الغد.
end-only-here = { $count ->
    [0] جميع التسجيلات لدى الخدمة المركزية
    [one] تسجيل واحد موجود على هذا الجهاز فقط
    [two] تسجيلان موجودان على هذا الجهاز فقط
    [few] { $count } تسجيلات موجودة على هذا الجهاز فقط
   *[other] { $count } تسجيلًا موجودًا على هذا الجهاز فقط
}
end-pages = { $count ->
    [0] جميع الصفحات الممسوحة لدى الخدمة المركزية
    [one] صفحة ممسوحة واحدة موجودة على هذا الجهاز فقط
    [two] صفحتان ممسوحتان موجودتان على هذا الجهاز فقط
    [few] { $count } صفحات ممسوحة موجودة على هذا الجهاز فقط
   *[other] { $count } صفحة ممسوحة موجودة على هذا الجهاز فقط
}
end-papers = أوراق لم يأخذها أحد
end-drafts = زيارات بدأت ولم تكتمل
end-drafts-help = تُحفظ على هذا الجهاز وتُمحى بعد 30 يومًا.
end-age = { $count ->
    [0] اليوم
    [one] منذ يوم واحد
    [two] منذ يومين
    [few] منذ { $count } أيام
   *[other] منذ { $count } يومًا
}
storage-free = المساحة الحرة في القرص: { $free } غ.ب من { $total }
storage-unknown = المساحة الحرة في القرص غير معروفة.
exported-whole = آخر تصدير إلى مفتاح USB: { $at }. كل ما ينتظر موجود فيه ما لم يُفقد المفتاح.
exported-part = آخر تصدير إلى مفتاح USB: { $at }. لا يحتوي على كل ما ينتظر الآن.
media-title = دون شبكة: مفتاح USB
media-help = يمكن حمل ما ينتظر إلى الخدمة المركزية على مفتاح USB. الملف مشفَّر: لا تقرؤه إلا الخدمة المركزية، ويمكن لأي جهاز أن ينقله إليها.
media-none = لا يوجد مفتاح USB موصول. أوصلوه وانتظروا لحظة ثم ابحثوا من جديد.
medium-free = { $free } غ.ب حرة
act-media = البحث من جديد
act-export = التصدير إلى هذا المفتاح
act-deliver = النقل إلى الخدمة المركزية
export-done = الملف { $file } موجود على المفتاح { $medium }، وقد أُعيدت قراءته وهو كامل. انزعوا المفتاح واحفظوه في مكان آمن.
export-left-out = لم تتسع المساحة لكل الصفحات: الناقصة تبقى على هذا الجهاز حتى عودة الشبكة.
deliver-done = { $file }: وصل كل شيء إلى الخدمة المركزية. يمكن حذف الملف من المفتاح.
deliver-part = { $file }: رفضت الخدمة المركزية جزءًا منه. احتفظوا بالمفتاح وأبلغوا فريق الدعم.
today-title = ما تاريخ اليوم؟
today-why = ساعة هذا الجهاز متأخرة والخدمة المركزية لا تجيب. أدخلوا تاريخ اليوم قبل بدء أي تسجيل. لا يمكن أن يكون قبل { $from }.
act-today = هذا هو تاريخ اليوم
field-today-day = اليوم
field-today-month = الشهر (1 إلى 12)
field-today-year = السنة

advance-title = موعد أقرب
advance-why = يمكن للشخص أن يطلب موعدًا أقرب بلمسة واحدة. موعده الحالي لا يتغير. تجيب المحافظة، ويُقرأ الجواب هنا.
act-ask-earlier = طلب موعد أقرب
advance-only-here = طلب { $at }: محفوظ على هذا الجهاز، ويُرسل عند الاتصال التالي.
advance-received = طلب { $at }: استلمته الخدمة المركزية. لم تجب المحافظة بعد.
advance-answered = طلب { $at }: أجابت المحافظة.
advance-answer = جواب { $at }:

offer-title = موعد أقرب معروض
offer-ask = الجواب حتى { $day } على الأكثر. الموعد الحالي يبقى قائمًا ما لم يقبل الشخص.
act-accept-offer = قبول الموعد الأقرب
act-decline-offer = الإبقاء على الموعد الحالي
offer-accepted = قُبل الموعد الأقرب. يُطبع الاستدعاء الجديد في الجهاز الذي أصدر الورقة؛ وعند الباب تُعدّ الورقة القديمة مستبدلة.
offer-declined = يبقي الشخص على موعده الحالي.
act-cancel = إلغاء هذا الموعد
cancel-title = هل يُلغى هذا الموعد؟
cancel-ask = الشخص أمامكم وقد اطّلعتم على وثيقة هويته. يُعرض موعده على الشخص التالي في القائمة. يمكنه التراجع عن قراره خلال 30 يومًا.
act-cancel-yes = نعم، إلغاء
act-cancel-no = لا، الإبقاء على الموعد
cancelled = أُلغي الموعد في { $at }
cancelled-until = حتى { $day } يمكن للشخص استعادة مكانه: وقت تسجيله يُحتسب كما كان.
cancelled-over = انتهت مهلة استعادة هذا المكان. يمكن للشخص التسجيل من جديد.
cancelled-returning = يستعيد الشخص مكانه. تعطي الخدمة المركزية موعده عند الاتصال التالي؛ عودوا عندئذ إلى هنا لطباعة الورقة.
act-reinstate = استعادة المكان
elsewhere-cancelled = أُلغي هذا الموعد.
to-tell = أشخاص يجب إخبارهم: موعد أقرب محفوظ لهم
to-tell-until = الجواب حتى { $day }
