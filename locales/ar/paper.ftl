# review: draft, not reviewed by a native speaker
# What is printed on a convocation and on a ranked receipt. Plain words, formal address.

paper-title-convocation = شهادة تسجيل واستدعاء
paper-title-receipt = شهادة تسجيل في قائمة الانتظار
paper-alt-door = رمز ثنائي الأبعاد للدخول
paper-alt-rebuild = رمز ثنائي الأبعاد لاستعادة التسجيل

## The person

paper-name = الاسم الكامل
paper-birth = تاريخ الميلاد ومكانه
paper-birth-value = { $date }، { $place }
paper-nationality = الجنسية
paper-agdref = رقم الأجنبي (AGDREF)
paper-representative = الممثل القانوني
paper-declared = هوية مصرَّح بها دون تقديم وثيقة.
paper-procedures = الإجراء
paper-no-value = —

## The date

paper-your-date = موعدكم
paper-zone = بالتوقيت المحلي ({ $zone })
paper-counter = الشباك
paper-phone = الهاتف
paper-place = المكان
paper-no-later-than = سيتم استقبالكم في أجل أقصاه
paper-no-date-yet = لم يُحدَّد أي موعد بعد
paper-no-date-explained = رتبتكم في القائمة محفوظة. ستُعطَون موعدًا بمجرد توفر مكان، حسب ترتيب القائمة.

## What to know

paper-what-convocation = تُثبت هذه الوثيقة تسجيلكم وتستدعيكم في التاريخ المذكور أعلاه. وهي ليست تسجيلًا لطلبكم نفسه: فذلك يتم في الشباك يوم الموعد. وهي ليست رخصة إقامة.
paper-what-receipt = تُثبت هذه الوثيقة تسجيلكم في قائمة الانتظار. وهي ليست تسجيلًا لطلبكم نفسه: فذلك يتم في الشباك يوم الموعد. وهي ليست رخصة إقامة.
paper-bring = أحضروا هذه الوثيقة، ووثيقة هوية إن كانت لديكم، والوثائق الخاصة بإجرائكم.
paper-keep = احتفظوا بهذه الوثيقة وتابعوا ملفكم بواسطة الرمز أدناه: سيظهر فيه تاريخ موعدكم.
paper-not-for-sale = هذه الوثيقة شخصية ومجانية. لا يجوز بيعها ولا التنازل عنها: فهي لا تصلح إلا للشخص المذكور أعلاه.
paper-earlier = إذا كان هذا التاريخ متأخرًا جدًا بالنسبة إليكم، فيمكنكم طلب موعد أقرب. ويبقى الموعد الممنوح لكم في انتظار الجواب.
paper-earlier-receipt = إذا كنتم لا تستطيعون الانتظار، فيمكنكم طلب موعد أقرب. وتبقى رتبتكم محفوظة في انتظار الجواب.
paper-follow = لمتابعة ملفكم أو طلب موعد أقرب أو تغيير الموعد أو إلغائه: قدِّموا هذا الرمز وتاريخ ميلادكم في إحدى نقاط الاستقبال.

## The order of the list

paper-code = رمز المتابعة
paper-order = ترتيب القائمة
paper-class = الفئة
paper-class-ordinary = عادية
paper-class-with-time-limit = بأجل قانوني
paper-registered-at = التسجيل
paper-tie-break = الفصل عند التساوي
paper-rule-version = قاعدة الحساب
paper-order-explained = يُحدَّد التاريخ بحساب آلي وفق هذه القاعدة.
paper-issued-at = حُرِّرت هذه الوثيقة في { $at }
paper-qr-door = الدخول
paper-qr-rebuild = الاسترجاع

## Procedures

paper-procedure-first_permit = أول طلب لرخصة إقامة
paper-procedure-renewal = تجديد رخصة الإقامة
paper-procedure-duplicate = نسخة بديلة من رخصة الإقامة
paper-procedure-change_of_status = تغيير وضعية الإقامة
paper-procedure-change_of_address = تغيير العنوان
paper-procedure-exceptional_admission = القبول الاستثنائي للإقامة
paper-procedure-family_reunification = لم شمل العائلة
paper-procedure-refugee_travel_document = وثيقة سفر للاجئ
paper-procedure-naturalisation = التجنيس
