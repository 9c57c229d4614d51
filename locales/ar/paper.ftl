# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.

paper-title-convocation = شهادة تسجيل واستدعاء
paper-title-receipt = شهادة تسجيل في قائمة الانتظار
paper-alt-door = رمز ثنائي الأبعاد للدخول
paper-alt-rebuild = رمز ثنائي الأبعاد لاستعادة التسجيل

## The person

paper-name = الاسم الكامل
paper-birth = تاريخ الميلاد
paper-birth-and-place = تاريخ الميلاد ومكانه
paper-nationality = الجنسية
paper-agdref = رقم الأجنبي (AGDREF)
paper-representative = الممثل القانوني
paper-declared = هوية مصرَّح بها دون تقديم وثيقة.
paper-procedures = الإجراء

## The date

paper-your-date = موعدكم
paper-zone = بالتوقيت المحلي ({ $zone })
paper-counter = الشباك
paper-phone = الهاتف
paper-place = المكان
paper-no-later-than = سيتم استقبالكم في أجل أقصاه
paper-held = هذا الموعد محجوز لكم. وقد يُعطى لكم موعد أقرب: عندئذ تتسلَّمون وثيقة جديدة. وإلا فاحضروا في اليوم والساعة المذكورين أعلاه.
paper-opens = يمكن إيداع ملفكم ابتداءً من { $day }.
paper-ahead = إذا شغر يوم أقرب يُعطى لكم دون سؤالكم، قبل { $days } يومًا على الأقل: استعلموا في نقطة الاستقبال؛ وتحل عندئذ وثيقة جديدة محل هذه.
paper-elsewhere = تنبيه: هذا الموعد ليس في الموقع الذي سجّلتم فيه. العنوان مكتوب أدناه.
paper-confirm = ابتداءً من { $day } يمكنكم أن تؤكدوا حضوركم في نقطة استقبال. عدم التأكيد لا يضيّع شيئًا.
paper-waiting = طلبكم للموعد
paper-no-date-exists = لا يوجد أي موعد اليوم في هذا الموقع
paper-told = أُبلِغت المحافظة (préfecture) بذلك يوم { $at } ({ $zone }).
paper-rank-kept = رتبتكم في القائمة محفوظة. وسيُعطى لكم أول موعد متاح لكم، حسب ترتيب القائمة.
paper-no-date-here = تعذَّر إعطاء موعد هنا اليوم
paper-request-kept = طلبكم للموعد محفوظ، وكذلك رتبتكم. وسيُرسَل إلى المحافظة (préfecture) فور عودة الاتصال.
paper-come-back = عودوا إلى نقطة الاستقبال هذه، أو تابعوا ملفكم بواسطة الرمز أدناه، لتسلُّم موعدكم.

## What to know

paper-what-convocation = تُثبت هذه الوثيقة تسجيلكم وتستدعيكم في التاريخ المذكور أعلاه. وهي ليست تسجيلًا لطلبكم نفسه: فذلك يتم في الشباك يوم الموعد. وهي ليست تصريح إقامة.
paper-what-receipt = تُثبت هذه الوثيقة تسجيلكم في قائمة الانتظار. وهي ليست تسجيلًا لطلبكم نفسه: فذلك يتم في الشباك يوم الموعد. وهي ليست تصريح إقامة.
paper-bring = أحضروا هذه الوثيقة، ووثيقة هوية إن كانت لديكم، والوثائق الخاصة بإجرائكم.
paper-come-or-earlier = احضروا في اليوم والساعة المذكورين أعلاه، إلا إذا أعطتكم وثيقة جديدة موعدًا أقرب. وأحضروا هذه الوثيقة، ووثيقة هوية إن كانت لديكم، والوثائق الخاصة بإجرائكم.
paper-keep = احتفظوا بهذه الوثيقة: فهي تبيِّن رتبتكم وطلبكم للموعد. وأحضروها يوم الموعد مع وثيقة هوية إن كانت لديكم والوثائق الخاصة بإجرائكم.
paper-not-for-sale = هذه الوثيقة شخصية ومجانية. لا يجوز بيعها ولا التنازل عنها: فهي لا تصلح إلا للشخص المذكور أعلاه.
paper-earlier = إذا كان هذا التاريخ متأخرًا جدًا بالنسبة إليكم، فيمكنكم طلب موعد أقرب في نقطة الاستقبال التي أصدرت هذه الوثيقة، أو بالكتابة إلى المحافظة. ويبقى الموعد الممنوح لكم في انتظار الجواب.
paper-request = هذه الوثيقة هي أيضًا طلبكم للموعد. وإذا كنتم لا تستطيعون الانتظار، فاطلبوا موعدًا أقرب في إحدى نقاط الاستقبال: وتبقى رتبتكم محفوظة في انتظار الجواب.
paper-follow = للعثور على موعدكم أو للحصول على هذه الوثيقة من جديد: قدِّموا هذا الرمز وتاريخ ميلادكم في نقطة الاستقبال التي أصدرتها. للإلغاء، عودوا إليها ومعكم هذه الوثيقة.

## The order of the list

paper-code = رمز المتابعة
paper-order = ترتيب القائمة
paper-class = الفئة
paper-class-ordinary = عادية
paper-class-with-time-limit = بأجل قانوني
paper-registered-at = التسجيل
paper-taken-over = وقت معتمد من التسجيل في { $site }
paper-tie-break = الفصل عند التساوي
paper-rule-version = قاعدة الحساب
paper-order-explained = يُحدَّد التاريخ بحساب آلي وفق هذه القاعدة.
paper-issued-at = حُرِّرت هذه الوثيقة في { $at }

## The notice that an appointment may be annulled

paper-annulment-title = تعتزم المحافظة إلغاء موعدكم
paper-annulment-what = يقترح أحد موظفي المحافظة إلغاء الموعد المذكور أعلاه. لم يُتخذ أي قرار. تبين لكم هذه الوثيقة السبب وكيفية تقديم جوابكم. وهي موجهة إليكم وحدكم: لستم ملزمين بإظهارها لأحد.
paper-annulment-reasons = الأسباب التي قدمتها المحافظة (بالفرنسية)
paper-annulment-until = يمكنكم الجواب حتى { $day }.
paper-annulment-how = أجيبوا كتابةً، أو بالحضور شخصيًا، في العنوان المذكور أدناه. اذكروا اسمكم ورمز المتابعة. يمكنكم إرفاق وثائق، والاستعانة بشخص تختارونه أو بجمعية أو محامٍ. ويمكن لنقطة الاستقبال مساعدتكم في الكتابة.
paper-annulment-holds = في انتظار ذلك، موعدكم قائم: ويبقى استدعاؤكم صالحًا. إذا حل يومه قبل أي قرار، فاحضروا وستُستقبلون.
paper-annulment-then = سيقرر موظف آخر بعد قراءة جوابكم. إذا أُلغي الموعد، فيمكنكم التسجيل من جديد والاعتراض على القرار.
paper-annulment-to = أين تجيبون
paper-annulment-issued = حُرِّرت هذه الوثيقة في { $at }

paper-qr-door = الدخول
paper-qr-rebuild = الاسترجاع

## Procedures

paper-procedure-first_permit = أول طلب لتصريح إقامة
paper-procedure-renewal = تجديد تصريح الإقامة
paper-procedure-duplicate = نسخة بديلة من تصريح الإقامة
paper-procedure-change_of_status = تغيير وضعية الإقامة
paper-procedure-change_of_address = تغيير العنوان
paper-procedure-exceptional_admission = القبول الاستثنائي للإقامة
paper-procedure-family_reunification = لمّ شمل الأسرة
paper-procedure-refugee_travel_document = وثيقة سفر للاجئ
paper-procedure-naturalisation = التجنيس
