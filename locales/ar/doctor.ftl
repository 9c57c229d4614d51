# review: draft, not reviewed by a native speaker
# What jalonctl doctor found: what each check means and what to do, for support staff.

doctor-enrolled-ok = هذا الجهاز مرتبط بموقع.
doctor-enrolled-fail = هذا الجهاز غير مرتبط بأي موقع. اطلبوا رمزًا وشغّلوا jalonctl enrol.
doctor-settings-ok = ملف kiosk.json يُقرأ.
doctor-settings-fail = { $file } مفقود أو فارغ أو لا يُقرأ؛ والخزنة موجودة. شغّلوا jalonctl enrol --repair فيكتبه من جديد دون رمز.
doctor-settings-unknown = لم يُفحص: الجهاز غير مرتبط.
doctor-vault-ok = الخزنة تُفتح وتُقرأ من أولها إلى آخرها.
doctor-vault-fail = { $code ->
    [keyring_unavailable] لم تُفتح الخزنة: حافظة المفاتيح لا تجيب أو مقفلة. افتحوا جلسة الحاسوب وأعيدوا المحاولة. لا تضعوا الخزنة جانبًا.
    [vault_key_missing] لم تُفتح الخزنة: مفتاحها ليس في حافظة المفاتيح. أعيدوه بمفتاح الاسترجاع (jalonctl vault recover). لا تضعوا الخزنة جانبًا.
    [vault_newer] الخزنة من إصدار أحدث من Jalon. حدّثوا Jalon على هذا الجهاز.
    [disk_failed] لم يسمح القرص بقراءة الخزنة أو كتابتها. لا تمسحوا شيئًا؛ افحصوا القرص وصلاحيات المجلد.
    [disk_full] القرص ممتلئ: تعذر فتح الخزنة. أفرغوا فيه مساحة.
    [disk_full_read] القرص ممتلئ: تُقرأ الخزنة كلها، ولا يمكن حفظ شيء. صدّروا ما ينتظر إلى قرص آخر (jalonctl vault export --to) ثم أفرغوا مساحة.
    [disk_read_only] القرص للقراءة فقط: تُقرأ الخزنة كلها، ولا يمكن حفظ شيء. صدّروا ما ينتظر إلى قرص آخر (jalonctl vault export --to) ثم اطلبوا فحص القرص.
   *[other] الخزنة لا تُفتح أو لا تُقرأ ({ $code }). لا تمسحوا شيئًا؛ الأمر jalonctl vault set-aside يضعها جانبًا كما هي ويتابع بخزنة جديدة.
 }
doctor-vault-unknown = تعذر فحص الخزنة: يستعملها برنامج آخر، أو الجهاز غير مرتبط. أغلقوا نافذة Jalon وأعيدوا المحاولة.
doctor-keyring-ok = حافظة المفاتيح تجيب وفيها مفتاح الخزنة.
doctor-keyring-fail = { $code ->
    [vault_key_missing] حافظة المفاتيح تجيب، لكن ليس فيها مفتاح هذه الخزنة. أعيدوه بمفتاح الاسترجاع: jalonctl vault recover.
   *[other] حافظة المفاتيح لا تجيب أو مقفلة ({ $code }). افتحوا جلسة الحاسوب وأعيدوا المحاولة.
 }
doctor-keyring-unknown = لم يُفحص: الجهاز غير مرتبط.
doctor-export-key-ok = يمكن لهذا الجهاز التصدير إلى مفتاح USB.
doctor-export-key-warn = لا يمكن لهذا الجهاز التصدير بعد: لا يعرف مفتاح الإيصال للخدمة المركزية. أنشئوه إن لم يوجد (central admin keys --add-delivery) ثم شغّلوا jalonctl sync.
doctor-export-key-unknown = لم يُفحص: الخزنة غير مفتوحة.
doctor-storage-ok = المتبقي { $free } م.ب من { $total }.
doctor-storage-warn = لم يتبقَّ سوى { $free } م.ب من { $total }. أفرغوا مساحة هذا الأسبوع.
doctor-storage-fail = لم يتبقَّ سوى { $free } م.ب من { $total }: لا يمكن بدء أي تسجيل. أفرغوا مساحة الآن.
doctor-storage-unknown = المساحة الحرة غير معروفة: النظام لا يذكرها.
doctor-disk-encryption-ok = القرص الذي فيه الخزنة مشفَّر.
doctor-disk-encryption-fail = القرص الذي فيه الخزنة غير مشفَّر من النظام. أعيدوا تثبيت الجهاز مع تشفير القرص (LUKS). القرص الذي يشفّر نفسه لا يُتعرَّف عليه هنا.
doctor-disk-encryption-unknown = لا يذكر النظام هل القرص مشفَّر. تحققوا يدويًا (lsblk).
doctor-swap-ok = لا توجد ذاكرة تبديل غير مشفَّرة.
doctor-swap-fail = ذاكرة التبديل { $name } غير مشفَّرة: قد تبقى فيها أسماء. أوقفوها (swapoff) وشفّروها، أو استعملوا zram.
doctor-swap-unknown = لا يذكر النظام هل ذاكرة التبديل مشفَّرة. تحققوا يدويًا (swapon --show).
doctor-core-dumps-ok = لا تُكتب صور للذاكرة.
doctor-core-dumps-warn = تذهب صور الذاكرة إلى برنامج آخر قد يحتفظ بها. اضبطوه كي لا يحتفظ بأي منها (systemd-coredump: Storage=none).
doctor-core-dumps-fail = البرنامج الذي يتعطل سيكتب ذاكرته على القرص. اجعلوا الحد صفرًا (ulimit -c 0, LimitCORE=0).
doctor-core-dumps-unknown = لا يذكر النظام ما يفعله بصور الذاكرة.
doctor-spool-ok = قائمة الطباعة في النظام لا تحتفظ بأي وثيقة.
doctor-spool-fail = تحتفظ قائمة الطباعة بوثائق (عددها { $count })، ربما أوراق أشخاص. أفرغوها (cancel -a -x) واضبطوا CUPS: PreserveJobFiles No.
doctor-spool-unknown = تعذرت قراءة قائمة الطباعة. شغّلوا jalonctl doctor كمسؤول لرؤيتها.
doctor-left-behind-ok = لا توجد ملفات متروكة من Jalon.
doctor-left-behind-warn = بقي { $name }. المجلد set-aside يحفظ خزنة قديمة مشفَّرة: امسحوه حين لا يحتاجه أحد. وما عدا ذلك بقايا عمل انقطع ويمكن مسحها.
doctor-central-ok = الخدمة المركزية تجيب.
doctor-central-warn = الخدمة المركزية تجيب لكنها لا تعطي مواعيد: قاعدة بياناتها لا تجيب، أو أحد مفاتيحها متقاعد. العمل مستمر؛ أبلغوا القائمين عليها.
doctor-central-fail = { $code ->
    [authority_missing] ملف سلطة الخدمة المركزية ({ $file }) غير موجود أو تتعذر قراءته: لم يُطلب منها شيء. أعيدوا الشهادة إلى مكانها، أو شغّلوا jalonctl enrol --repair --ca FILE. العمل مستمر دون اتصال.
   *[other] تعذر الوصول إلى الخدمة المركزية ({ $code }). العمل مستمر دون اتصال؛ تحققوا من الكابل والشبكة ثم العنوان في kiosk.json.
 }
doctor-central-unknown = لم يُفحص: الجهاز غير مرتبط.
doctor-standing-ok = الخدمة المركزية تقبل هذا الجهاز كأي جهاز آخر.
doctor-standing-fail = { $code ->
    [kiosk_lost] الخدمة المركزية ترفض هذا الجهاز: أُعلن أنه مفقود أو مسروق. اتصلوا بالمحافظة وأرسلوا الناس إلى جهاز آخر. إن عُثر عليه وجب ربطه من جديد في مجلد جديد.
    [quarantined] كتبت آلتان باسم هذا الجهاز: لم يعد يُعار مواعيد احتياطية. أوقفوا النسخة، ثم يحرّره موظف (central admin kiosks --release).
    [retired] سُحب هذا الجهاز من الخدمة: لم يعد يُعار مواعيد احتياطية. أرسلوا ما ينتظر واستعملوا جهازًا آخر.
   *[other] ما يجيب لا يعرف هذا الجهاز ({ $code }). شغّلوا jalonctl sync فيُعرف من جديد بعد استعادة؛ فإن بقي ذلك فتحققوا من العنوان في kiosk.json.
 }
doctor-standing-unknown = لم يُعرف: الخدمة المركزية غير متاحة، أو الخزنة غير مفتوحة، أو يستعملها برنامج آخر.
doctor-certificate-ok = شهادة الخدمة المركزية صالحة لمدة { $days } يومًا أخرى.
doctor-certificate-warn = تنتهي شهادة الخدمة المركزية خلال { $days } يومًا. أبلغوا القائمين عليها: بعد ذلك لن يثق بها أي جهاز.
doctor-certificate-unknown = لم تُرَ شهادة الخدمة المركزية.
doctor-clock-ok = الساعة مضبوطة.
doctor-clock-fail = ساعة هذا الجهاز غير مضبوطة. اضبطوا التاريخ والوقت، ودعوا الشبكة تضبطهما.
doctor-clock-unknown = لا يوجد ما تُقارن به الساعة: لم تُقرأ الخزنة ولا الخدمة المركزية.
doctor-printer-ok = الطابعة تجيب.
doctor-printer-warn = لم تُضبط أي طابعة: ستُنسخ الرموز يدويًا. اذكروها في kiosk.json (printer).
doctor-printer-fail = الطابعة لا تجيب. تحققوا من أنها مشغَّلة ومتصلة بالشبكة، ثم من عنوانها في kiosk.json.
doctor-printer-unknown = لم يُفحص: الجهاز غير مرتبط.
doctor-scanner-ok = الماسح يجيب.
doctor-scanner-warn = لم يُضبط أي ماسح: ستتم التسجيلات دون وثائق. اذكروه في kiosk.json (scanner).
doctor-scanner-fail = الماسح لا يجيب. تحققوا من أنه موصول ومشغَّل، ثم من اسمه في kiosk.json.
doctor-scanner-unknown = لم يُفحص: الجهاز غير مرتبط.
