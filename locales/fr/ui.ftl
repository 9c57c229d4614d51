# review: draft
# What the screens say. Plain words, formal address, short enough for a button.

language-fr = Français
mediator-language = Votre langue
person-language = Langue de la personne
choose = Choisissez…
saved = Enregistré
saving = Enregistrement…
act-lock = Verrouiller
act-unlock = Ouvrir la session
act-next = Suivant
act-back = Retour
act-later = Reprendre plus tard
act-home = Accueil
act-start = Inscrire une personne
act-open = Reprendre
act-outbox = Voir la boîte d'envoi
act-sync = Envoyer maintenant
act-discard = Effacer cette saisie
act-scan = Numériser une page
act-remove-page = Retirer cette page
act-mend = Corriger
act-confirm = Tout est exact : donner une date
act-to-print = Imprimer le papier
act-print-again = Imprimer à nouveau
act-came-out-yes = Oui, le papier est sorti
act-came-out-no = Non, rien n'est sorti
act-nothing-came = Rien n'est sorti
act-next-without-paper = Continuer sans attendre le papier
act-finish = Terminer
act-stay = Nous sommes encore là
unlock-title = Ouvrir une session
field-mediator = Votre nom
field-pin = Votre code PIN
home-title = Accueil
connection = Connexion
connection-online = Connecté au service central
connection-offline = Hors connexion : le travail continue, les envois attendent
connection-refused = Le service central refuse ce poste : prévenez le support
last-contact = Dernier contact : { $day } à { $time }
never-contact = Aucun contact pour l'instant
outbox = Boîte d'envoi
outbox-waiting = { $count ->
    [0] Rien n'attend d'être envoyé
    [one] Un élément attend d'être envoyé
   *[other] { $count } éléments attendent d'être envoyés
}
outbox-held = { $count ->
    [one] Un élément reçu, pas encore traité
   *[other] { $count } éléments reçus, pas encore traités
}
outbox-set-aside = { $count ->
    [one] Un élément mis de côté : prévenez le support
   *[other] { $count } éléments mis de côté : prévenez le support
}
outbox-empty = La boîte d'envoi est vide.
lease = Dates sans connexion
lease-free = { $count ->
    [0] Aucune date en réserve : hors connexion, la personne recevra un rang
    [one] Une date ferme peut être donnée hors connexion
   *[other] { $count } dates fermes peuvent être données hors connexion
}
lease-days = Du { $first } au { $last }
unfinished = Visites à terminer
unfinished-draft = Saisie en cours
draft-of = Saisie commencée par { $who }, qui peut l'ouvrir, comme un superviseur
unfinished-kept = Date gardée, papier pas encore imprimé
unfinished-printed = Papier imprimé, visite à finir
unfinished-ask = Le papier est-il sorti ?
no-name = Sans nom
person-title = La personne
hint-names = Comme sur le document, ou comme la personne l'écrit
hint-agdref = 9 ou 10 chiffres ; laissez vide si la personne n'en a pas
birth-legend = Ce qui est connu de la date de naissance
birth-form-whole = Jour, mois et année
birth-form-year = L'année seulement
birth-form-customary = 1er janvier écrit par défaut sur les papiers
contact-title = Joindre la personne (facultatif)
represented = La personne est mineure ou représentée
relation-parent = Parent
relation-guardian = Tuteur ou tutrice
relation-child-welfare = Aide sociale à l'enfance
field-family-names = Nom(s) de famille
field-given-names = Prénom(s)
field-birth = Date de naissance
field-birth-form = Date de naissance
field-birth-day = Jour de naissance
field-birth-month = Mois (1 à 12)
field-birth-year = Année
field-birth-place = Lieu de naissance
field-nationality = Nationalité
field-agdref = Numéro étranger (AGDREF)
field-declared = La personne ne présente aucun document d'identité
field-contact-phone = Téléphone
field-contact-email = Adresse électronique
field-contact-postal = Adresse postale
field-representative = Représentant
field-representative-family-names = Nom(s) du représentant
field-representative-given-names = Prénom(s) du représentant
field-representative-relation = Qui est le représentant
field-procedure = Démarche
field-limit = Délai
field-limit-right = Droit à protéger
field-limit-last-day = Dernier jour utile
field-limit-days = Nombre de jours
field-limit-evidence = Justificatif montré
field-accepts-earlier = Jours à l'avance, au moins
field-department-wide = Un autre site du département
date-elsewhere = Le rendez-vous est dans un autre site :
field-party-people = Combien de rendez-vous
field-party-with = Code du papier de la personne d'avant
field-moved = Code de suivi sur le papier de l'autre site
field-renewal-expires-on = Dernier jour du titre (facultatif)
field-renewal-regime = Renouvellement demandé en ligne
field-lang = Langue de la personne
nationality-stateless = Apatride
procedure-title = La démarche
procedure-legend = Ce que la personne demande
procedure-first-permit = Premier titre de séjour
procedure-renewal = Renouvellement de titre
procedure-duplicate = Duplicata (perte, vol)
procedure-change-of-status = Changement de statut
procedure-change-of-address = Changement d'adresse
procedure-exceptional-admission = Admission exceptionnelle au séjour
procedure-family-reunification = Regroupement familial
procedure-refugee-travel-document = Titre de voyage pour réfugié
procedure-naturalisation = Naturalisation
limit-legend = Un droit peut-il se perdre avant la date ?
limit-none = Aucun délai
limit-protection-order = Ordonnance de protection
limit-court-injunction = Injonction d'un tribunal
limit-permit-expiry = Fin de validité d'un titre
ahead-title = Si un jour plus tôt se libère
ahead-choice = Le donner à la personne sans lui demander
ahead-help = Expliquez-le à la personne : elle apprend sa nouvelle date en revenant au point d'accueil, ou quand vous l'appelez ; aucun message n'est envoyé. L'ancien papier n'est alors plus valable. Sans ce choix, la date plus proche lui est d'abord proposée, et sa date tient jusqu'à sa réponse.
hint-accepts-earlier = de 3 à 60 ; il faut le temps de l'apprendre
department-title = Un autre site du département
department-choice = La personne accepte d'aller dans n'importe quel site du département
department-help = Elle reçoit alors la date la plus proche de tous, avec le réseau seulement. Demandez-lui si elle peut s'y rendre : le papier dit l'adresse. Ses pages numérisées restent lisibles par ce site : elle apporte les originaux.
moved-title = Une personne qui vient d'un autre site
moved-choice = Elle a déménagé et a déjà une inscription pour cette démarche
moved-help = Demandez le papier de l'autre site. Si cette inscription compte encore et si elle est bien la sienne, son heure d'inscription est reprise ici pour les dates plus proches qui lui seront proposées. La date donnée aujourd'hui est la première libre, comme pour tout le monde. Les deux rendez-vous tiennent jusqu'à ce que la personne en garde un. La préfecture vérifie le domicile ; les dates tiennent quoi qu'elle trouve.
hint-moved = treize signes, sur le papier de l'autre site
party-title = Plusieurs rendez-vous le même jour
party-choice = D'autres personnes, ou d'autres démarches, sont à enregistrer ensuite
party-help = Pour une famille qui vient ensemble, ou une personne qui a plusieurs démarches, les rendez-vous sont cherchés le même jour, l'un à côté de l'autre. Chacun peut alors tomber jusqu'à deux semaines plus tard que pour une personne seule, jamais au-delà d'un délai déclaré.
party-with = Avec la personne enregistrée juste avant :
hint-party-people = celui-ci compris, de 1 à 12
renewal-title = Le titre à renouveler
regime-legend = Ce renouvellement se demande-t-il en ligne (liste de l'article R.431-2) ?
regime-listed = Oui
regime-other = Non
regime-unknown = Je ne sais pas
renewal-too-early = Trop tôt pour déposer : le dépôt ouvre le { $day }. La date donnée ne sera pas avant ce jour.
renewal-limit-first = Le dépôt ouvre le { $day }, mais l'échéance ne peut pas attendre ce jour : c'est elle qui décide de la date.
renewal-in-time = Dans les temps : le dossier peut être déposé jusqu'au { $day }.
renewal-late = La période de dépôt a pris fin le { $day }. Inscrivez la personne quand même ; qu'elle apporte ce qui montre ses démarches déjà faites.
renewal-uncertain = Compté avec prudence, de 120 à 60 jours avant la fin du titre : vérifiez si le renouvellement se demande en ligne.
hint-day = Jour/mois/année, par exemple 31/12/2030
hint-evidence = Référence de la décision ou du titre
scan-title = Les documents
scan-text = Posez la page dans le numériseur. Chaque page est chiffrée aussitôt. Vous pouvez continuer sans document.
scan-busy = Numérisation en cours…
scan-count = { $count ->
    [0] Aucune page
    [one] Une page
   *[other] { $count } pages
}
page-number = Page { $number }
readback-title = Relecture
readback-ask = Vérifiez : tout est-il exact ?
readback-problems = { $count ->
    [one] Un point à corriger avant de donner une date
   *[other] { $count } points à corriger avant de donner une date
}
readback-name = Nom et prénoms
readback-birth = Date de naissance
readback-birth-place = Lieu de naissance
readback-nationality = Nationalité
readback-agdref = Numéro étranger (AGDREF)
readback-declared = Document d'identité
readback-representative = Représentant
readback-contact = Pour vous joindre
readback-procedure = Démarche
readback-limit = Délai à respecter
readback-renewal = Dernier jour du titre à renouveler
readback-accepts-earlier = Un jour plus tôt donné sans demander, jours à l'avance au moins
readback-department-wide = Où la personne peut aller
readback-party = Rendez-vous à chercher ensemble, celui-ci compris
readback-moved = Papier d'un autre site dont l'inscription est reprise
readback-pages = Pages numérisées
date-title = La date est gardée
date-title-rank = Le rang est gardé
date-intro = Votre rendez-vous :
date-hour = à { $time }
rank-intro = Vous êtes inscrit(e) sur la liste d'attente.
rank-text = Une date ferme vous sera donnée. Gardez bien votre code : il permet de la connaître.
rank-at-latest = Vous serez reçu(e) au plus tard le :
rank-held = Cette place est gardée pour vous. Une date plus proche peut vous être donnée : un nouveau papier le dira.
rank-told = Aucune date n'existe aujourd'hui dans ce lieu. La préfecture en a été avertie le { $day } à { $time }.
rank-busy = Beaucoup de personnes ont été inscrites ici en peu de temps : la préfecture le vérifie d'abord. Elle a deux jours ouvrés ; ensuite votre date est donnée, même sans réponse. Votre rang ne change pas.
code = Code de suivi
source-online = Date donnée par le service central.
source-lease = Date ferme prise dans la réserve de ce poste, sans connexion.
source-rank = Aucune date libre ici : un rang a été donné ; le service central cherche une date plus proche.
source-busy = Trop d'inscriptions en une heure pour ce poste ou ce médiateur : un rang a été donné ; la préfecture regarde, puis la date est donnée.
date-limit = Dernier jour utile : { $day }
date-opens = Le dossier peut être déposé à partir du { $day } : la date n'est pas avant.
after-limit = Cette date est après le dernier jour utile. La préfecture en est avertie ; signalez-le aussi à la personne.
only-here = Pour l'instant la date n'existe que sur ce poste : imprimez le papier maintenant.
only-here-rank = Pour l'instant ce rang n'existe que sur ce poste : imprimez le papier maintenant.
print-title = Impression
print-not-sent = Rien n'est encore parti vers l'imprimante.
print-sent = Envoyé à l'imprimante. Attendez le papier.
print-printed = Imprimé : l'imprimante a terminé.
print-waiting = L'imprimante attend.
print-failed = L'impression a échoué. La date reste gardée.
print-ask = Le papier est-il sorti de l'imprimante ?
print-copy = Si le papier ne sort pas, recopiez ce code pour la personne. Tout poste peut l'imprimer.
done-title = La visite est terminée
done-take = Prenez votre papier et gardez-le.
done-copy = Gardez le code recopié.
done-keep = Venez à la date indiquée avec vos documents.
done-clear = En terminant, les données de la personne quittent l'écran.
done-more = Quelqu'un d'autre vient avec cette personne, ou elle a une autre démarche ?
act-next-person = Une autre personne de la visite
act-next-procedure = Une autre démarche de la même personne
date-beside = Les autres rendez-vous de la visite :
date-apart = Les rendez-vous de la visite ne sont pas le même jour : pas de place pour tous ensemble dans les délais de chacun.
record-registration = Inscription
record-print = Impression
record-incarnation = Nouvelle reprise du journal
record-dated = Nouvelle date
record-piece = Document
record-release = Date rendue
record-advance-request = Demande de date plus proche
record-cancellation = Annulation
record-reinstatement = Reprise de la place
record-limit = Échéance déclarée plus tard
record-correction = Correction
record-arrival = Personne venue
record-annulment-told = Personne avertie d'une annulation envisagée
record-transfer = Rendez-vous gardé après un déménagement
record-word = Parole de la personne dite à un autre poste
record-state-waiting = Sur ce poste seulement
record-state-held = Reçu par le service central
record-state-applied = Traité par le service central
record-state-set-aside = Mis de côté : prévenez le support
tries = { $count ->
    [one] Un essai
   *[other] { $count } essais
}
idle-title = Êtes-vous encore là ?
idle-text = Dans { $seconds } secondes, l'écran sera effacé et verrouillé. La saisie reste gardée.
notice-quarantined = Deux machines ont écrit sous le nom de ce poste. Il ne reçoit plus de dates de réserve tant qu'un agent de la préfecture ne l'a pas vérifié. Les dates avec connexion restent possibles. Appelez la préfecture.
notice-disk-older = Ce poste travaille sur une copie plus ancienne de ses données. Des personnes inscrites depuis peuvent manquer à l'écran ; leurs papiers restent valables. Signalez-le à la préfecture.
notice-central-forgot = Le service central avait perdu des inscriptions de ce poste : elles lui sont envoyées à nouveau. Laissez le poste connecté jusqu'à ce que rien n'attende plus.
notice-central-newer = Le service central est plus récent que ce poste et lui dit des choses qu'il ne sait pas encore lire. Rien n'est perdu : demandez la mise à jour du poste au support.
notice-central-audit-back = Le journal du service central, qui dit qui a lu et modifié les dossiers, est plus court qu'avant ou n'est plus le même. Le poste continue et garde la preuve. Prévenez la préfecture.
followup-title = Retrouver une inscription
followup-help = Saisissez le code de suivi qui est sur le papier, et la date de naissance. Un papier d'un autre poste se retrouve quand le réseau est là.
followup-year = Si le papier ne porte que l'année de naissance, l'année suffit.
act-find-paper = Retrouver
act-reprint = Imprimer le papier
act-followup = La personne revient avec son papier
readback-none-shown = La personne ne présente aucun document
followup-old-paper = Si la personne rend un ancien papier, reprenez-le.
hint-limit-days = à partir d'aujourd'hui

record-paper = Papier d'un autre poste
paper-help = Ou faites lire les deux codes carrés du papier : posez-le dans le scanner, ou lisez-les avec une douchette.
paper-typed = Codes lus par la douchette
act-show-paper = Lire le papier
act-other-paper = Un autre papier
act-bring-paper = Transmettre ce papier
act-arrive = La personne est venue
act-open-shown = Voir la date actuelle
paper-date = Rendez-vous : { $at }
paper-arrived = Venue notée : { $at }
paper-at-latest = Réception au plus tard : { $at }
paper-bring-help = Ce papier a été fait sur un autre poste. Si ce poste est perdu ou en panne, transmettez le papier : le service central en reprend la date.
paper-brought = Papier transmis au journal de ce poste. Il part au service central avec le prochain échange. Rendez le papier à la personne : il reste valable.
paper-door-only = Le second code n'a pas été lu : la date sera reprise, le reste sera à redemander. Vous pouvez lire le papier une nouvelle fois.
elsewhere-intro = Ce papier vient d'un autre poste. Le service central indique :
elsewhere-none = Pas encore de date. L'inscription est bien enregistrée.
verdict-valid = Papier authentique
verdict-forged = Papier falsifié. Ne le gardez pas contre le gré de la personne ; proposez une nouvelle inscription et prévenez le support.
verdict-replaced = Papier remplacé par un plus récent
verdict-cancelled = Inscription annulée. Proposez une nouvelle inscription.
verdict-unknown-issuer = Papier d'un service que ce poste ne connaît pas. Appelez le site indiqué sur le papier.
verdict-look-issued-later-than-now = Papier authentique, à vérifier : sa date d'émission est en avance sur l'heure de ce poste.
verdict-look-kiosk-lost = Papier à faire vérifier par un agent : le poste qui l'a établi a été déclaré perdu, et le service central n'a pas reçu l'inscription. Transmettez le papier avec le bouton ci-dessous.
paper-replaced-by = Nouveau rendez-vous : { $at }. Reprenez l'ancien papier.
verdict-unreadable = Les codes ne se lisent pas. Nettoyez la vitre, posez le papier à plat et recommencez.

set-aside-help = Le coffre de ce poste ne s'ouvre pas. Vous pouvez le mettre de côté tel quel et continuer avec un coffre neuf : les inscriptions déjà reçues par le service central restent valables, les autres reviennent par leur papier. Prévenez ensuite le support.
act-set-aside = Mettre le coffre de côté et continuer
notice-dated-too-late = Une date a été donnée pendant que ce poste était coupé du réseau, et son jour est passé avant que le poste ne l'apprenne. Le reçu de la personne reste valable : prévenez la préfecture, qui donne une autre date.
notice-date-moved = Le site ferme à des jours où des personnes inscrites à ce poste avaient rendez-vous : elles ont une nouvelle date. La boîte d'envoi les montre par leur code de suivi, sous « Nouvelle date » : prévenez-les et imprimez leur nouvelle convocation. L'ancienne n'est plus valable.
notice-date-earlier = Une place plus proche s'est libérée pour des personnes inscrites à ce poste qui l'avaient acceptée d'avance : elles ont une nouvelle date. La boîte d'envoi les montre par leur code de suivi, sous « Nouvelle date » : prévenez-les et imprimez leur nouvelle convocation. L'ancienne n'est plus valable.
notice-date-missed = Une personne inscrite à ce poste n'est pas venue à son rendez-vous : elle a une nouvelle date. La boîte d'envoi la montre par son code de suivi, sous « Nouvelle date » : prévenez-la et imprimez sa nouvelle convocation.
notice-place-ended = Une personne inscrite à ce poste n'est pas venue deux fois : elle n'a plus de date. Sa place l'attend trente jours ; ouvrez son dossier pour la reprendre si elle revient. La préfecture essaie de la joindre.
notice-place-transferred = Une personne inscrite à ce poste garde son rendez-vous sur un autre site, ou y a été reçue : celui d'ici a pris fin. Ouvrez son dossier quand elle revient : l'écran dit où.
notice-place-given-up = Un rendez-vous pris à ce poste a été annulé par le téléphone ou le courriel de la personne, un jour après la demande. Sa place l'attend trente jours ; ouvrez son dossier pour la reprendre si elle vient.
notice-place-annulled = La préfecture a annulé le rendez-vous d'une personne inscrite à ce poste. Ouvrez son dossier quand elle revient : l'écran lui dit ce qu'elle peut faire.
notice-annulment-undone = La préfecture est revenue sur l'annulation du rendez-vous d'une personne inscrite à ce poste : elle a une date. La boîte d'envoi la montre par son code de suivi, sous « Nouvelle date » : prévenez-la et imprimez sa convocation.
notice-retired = Ce poste est retiré du service : il ne reçoit plus de dates de réserve. Les papiers déjà remis restent valables. Envoyez ce qui attend, puis orientez les personnes vers un autre poste.
notice-kiosk-lost = Ce poste a été déclaré perdu ou volé : le service central ne l'écoute plus, et les papiers qu'il donne depuis seront examinés par un agent. Appelez la préfecture. Envoyez les personnes qui attendent à un autre poste ; s'il n'y en a pas, continuez : leurs papiers, lus à un autre poste, rendront leurs inscriptions.
notice-central-other = Ce qui répond au nom du service central ne connaît pas ce poste. Continuez : les dates viennent de la réserve. Prévenez le support.
notice-vault-set-aside = Le coffre de ce poste ne s'ouvrait pas : il a été mis de côté et un coffre neuf l'a remplacé. Prévenez le support ; faites lire les papiers des personnes qui reviennent.

notice-storage-low = Le disque de ce poste se remplit. Le travail continue ; prévenez le support pour qu'il y fasse de la place.
notice-storage-full = Le disque de ce poste est presque plein : aucune nouvelle inscription ne peut commencer. Les visites en cours peuvent être terminées. Prévenez le support.
end-of-day = Fin de journée
end-may-switch-off = Vous pouvez éteindre ce poste.
end-vault-aside = Un ancien coffre, mis de côté, garde peut-être des inscriptions que le service central n'a pas reçues. Ne l'effacez pas et prévenez le support.
end-first = Avant d'éteindre ce poste :
first-papers = Des personnes n'ont pas pris leur papier : ouvrez chaque visite ci-dessous, imprimez et terminez-la.
first-send = Ce qui attend peut partir maintenant : choisissez « Envoyer maintenant ».
first-export = Le service central ne répond pas. Exportez ce qui attend sur une clé USB, ou laissez ce poste en lieu sûr jusqu'au retour du réseau.
first-storage = Le disque est presque plein : prévenez le support avant demain matin.
end-only-here = { $count ->
    [0] Toutes les inscriptions sont au service central
    [one] Une inscription n'est que sur ce poste
   *[other] { $count } inscriptions ne sont que sur ce poste
}
end-pages = { $count ->
    [0] Toutes les pages numérisées sont au service central
    [one] Une page numérisée n'est que sur ce poste
   *[other] { $count } pages numérisées ne sont que sur ce poste
}
end-papers = Papiers que personne n'a pris
end-drafts = Saisies commencées
end-drafts-help = Elles sont gardées sur ce poste et effacées après 30 jours.
end-age = { $count ->
    [0] aujourd'hui
    [one] depuis un jour
   *[other] depuis { $count } jours
}
storage-free = Place libre sur le disque : { $free } Go sur { $total }
storage-unknown = La place libre sur le disque n'est pas connue.
exported-whole = Dernier export sur clé USB : { $at }. Tout ce qui attend y est, tant que la clé n'est pas perdue.
exported-part = Dernier export sur clé USB : { $at }. Il ne contient pas tout ce qui attend maintenant.
media-title = Sans réseau : la clé USB
media-help = Ce qui attend peut être porté au service central sur une clé USB. Le fichier est chiffré : seul le service central peut le lire, et n'importe quel poste peut le lui transmettre.
media-none = Aucune clé USB n'est branchée. Branchez-la, attendez un instant, puis cherchez à nouveau.
medium-free = { $free } Go libres
act-media = Chercher à nouveau
act-export = Exporter sur cette clé
act-deliver = Transmettre au service central
export-done = Le fichier { $file } est sur la clé { $medium }, relu et complet. Retirez la clé et gardez-la en lieu sûr.
export-left-out = Toutes les pages n'y tenaient pas : celles qui manquent restent sur ce poste jusqu'au retour du réseau.
deliver-done = { $file } : le service central a tout. Le fichier peut être effacé de la clé.
deliver-part = { $file } : le service central en a refusé une partie. Gardez la clé et prévenez le support.
today-title = Quel jour sommes-nous ?
today-why = L'horloge de ce poste retarde et le service central ne répond pas. Indiquez la date d'aujourd'hui avant de commencer une inscription. Elle ne peut pas être avant le { $from }.
act-today = C'est la date d'aujourd'hui
field-today-day = Jour
field-today-month = Mois (1 à 12)
field-today-year = Année

advance-title = Date plus proche
advance-why = La personne peut demander une date plus proche, en un geste. Sa date actuelle ne change pas. La préfecture répond, et la réponse est lue ici.
act-ask-earlier = Demander une date plus proche
advance-only-here = Demande du { $at } : gardée sur ce poste, elle part dès qu'il est connecté.
advance-received = Demande du { $at } : reçue par le service central. La préfecture n'a pas encore répondu.
advance-answered = Demande du { $at } : la préfecture a répondu.
advance-answer = Réponse du { $at } :

offer-title = Une date plus proche est proposée
offer-ask = Réponse jusqu'au { $day } inclus. La date actuelle reste valable tant que la personne n'a pas accepté.
act-accept-offer = Accepter la date plus proche
act-decline-offer = Garder la date actuelle
offer-accepted = La date plus proche est acceptée. La nouvelle convocation s'imprime au poste qui a fait le papier ; à la porte, l'ancienne est remplacée.
offer-declined = La personne garde sa date actuelle.
act-cancel = Annuler ce rendez-vous
cancel-title = Annuler ce rendez-vous ?
cancel-ask = La personne est devant vous et sa pièce d'identité a été vue. Son créneau est proposé à la personne suivante de la liste. Pendant 30 jours elle peut revenir sur sa décision.
act-cancel-yes = Oui, annuler
act-cancel-no = Non, garder le rendez-vous
cancelled = Rendez-vous annulé le { $at }
cancelled-elsewhere = La personne garde son rendez-vous à un autre site ({ $site }), ou y a été reçue. Celui d'ici n'est pas repris à côté.
cancelled-until = Jusqu'au { $day }, la personne peut reprendre sa place : son heure d'inscription compte comme avant.
cancelled-over = Le délai pour reprendre cette place est passé. La personne peut s'inscrire de nouveau.
cancelled-returning = La personne reprend sa place. Le service central donne sa date à la prochaine connexion ; revenez alors ici pour imprimer le papier.
annulment-title = La préfecture envisage d'annuler ce rendez-vous
annulment-until = La personne peut répondre jusqu'au { $day } : par écrit ou en se présentant à la préfecture. Le document imprimé dit pourquoi et comment.
annulment-holds = Rien n'est décidé. Le rendez-vous tient : le papier reste valable.
annulment-do = Imprimez le document, remettez-le à la personne et expliquez-le dans sa langue. Ne lisez pas les motifs à voix haute devant d'autres personnes.
annulment-told = Document remis à la personne le { $at }
act-print-notice = Imprimer le document pour la personne
act-hand-notice = La personne a le document en main
annulled = Rendez-vous annulé par la préfecture le { $at }
annulled-next = La personne peut s'inscrire de nouveau dès maintenant. Pour contester cette décision, elle écrit à la préfecture ou demande conseil à une association ou à un avocat : dans les trente jours, la préfecture peut revenir sur sa décision.
transfer-two = Vous avez deux rendez-vous
transfer-title = Inscription suivie depuis un autre site
transfer-at = { $site } : { $at }
transfer-undated = pas encore de date
transfer-stand = Les deux tiennent. Si vous êtes reçu(e) à l'un, l'autre prend fin.
transfer-keeping = Vous gardez le rendez-vous d'ici. Celui de { $site } prend fin à la prochaine connexion.
transfer-since = Heure d'inscription reprise de { $site } : { $at }. Les dates plus proches vous sont proposées d'après elle.
transfer-alone = Vous n'avez plus que le rendez-vous d'ici.
transfer-none = Aucune inscription encore valable d'un autre site n'a été trouvée avec ce code pour cette personne. L'inscription d'ici compte avec sa propre heure. Vérifiez le code avec la personne ; si l'autre site n'a pas encore envoyé son inscription, elle est reprise plus tard et un nouveau papier est à remettre.
transfer-waiting = Le papier de l'autre site est transmis avec l'inscription. La réponse vient à la prochaine connexion ; si l'heure d'inscription est reprise, un nouveau papier est à remettre.
transfer-choose = Pour garder le rendez-vous d'ici, touchez ce bouton. Pour garder celui de { $site }, annulez celui d'ici plus bas.
transfer-ask = La personne est devant vous et sa pièce d'identité a été vue. Le rendez-vous à { $site } prend fin, et son créneau est proposé à la personne suivante de la liste.
act-keep-transfer = Garder le rendez-vous d'ici
act-keep-transfer-yes = Oui, garder celui d'ici
act-keep-transfer-no = Non, laisser les deux
act-reinstate = Reprendre la place
act-limit = Déclarer une échéance
limit-later = Une échéance apprise après l'inscription
limit-later-help = Une ordonnance de protection, une injonction d'un tribunal ou la fin d'un titre, avec ce qui la prouve. L'heure d'inscription de la personne compte comme avant. La préfecture vérifie le justificatif ; une date plus proche est proposée s'il y en a une. La date actuelle reste valable jusque-là.
act-limit-yes = Garder cette échéance
act-limit-no = Ne rien déclarer
limit-later-kept = L'échéance est gardée. Imprimez le nouveau papier et reprenez l'ancien. S'il y a une date plus proche pour la personne, elle s'affiche ici.
act-correct = Corriger un nom, une date de naissance ou la langue
correct-title = Corriger ce qui est mal écrit
correct-help = Une faute de frappe, une autre façon d'écrire le même nom, une partie de la date de naissance, la nationalité ou la langue du papier. La date du rendez-vous et l'heure d'inscription ne changent pas. Vérifiez sur un document.
act-correct-yes = Garder la correction
act-correct-no = Ne rien corriger
correct-kept = La correction est gardée. Imprimez le nouveau papier et reprenez l'ancien. La date est la même.
elsewhere-cancelled = Ce rendez-vous a été annulé.
cancel-asked-title = Annulation demandée : est-ce bien la personne ?
cancel-asked-phone = Le { $at }, quelqu'un a demandé par le téléphone de la personne d'annuler ce rendez-vous. Le rendez-vous reste valable. Sans réponse, il est annulé le { $due }.
cancel-asked-email = Le { $at }, quelqu'un a demandé par le courriel de la personne d'annuler ce rendez-vous. Le rendez-vous reste valable. Sans réponse, il est annulé le { $due }.
cancel-asked-do = Si ce n'était pas elle, ou si elle vient quand même : un geste suffit, même sans réseau.
act-coming = La personne viendra : garder le rendez-vous
word-come = Noté : la personne viendra. Le rendez-vous reste le sien.
reconfirm-title = La personne viendra-t-elle à cette date ?
reconfirm-ask = La date a été donnée longtemps à l'avance. Jusqu'au { $day }, la personne peut dire qu'elle viendra ; ne rien dire ne fait rien perdre. Si elle ne peut pas venir, elle annule : quelqu'un d'autre aura la place.
act-reconfirm = La personne viendra
document-title = Avez-vous vu une pièce d'identité de la personne ?
document-cancel = Un papier peut être perdu ou volé : sans pièce vue, rien n'est annulé. Le créneau est proposé à la personne suivante de la liste. Pendant 30 jours, la personne peut revenir sur sa décision.
document-back = Un papier peut être perdu ou volé : sans pièce vue, la place n'est pas reprise. L'heure d'inscription compte comme avant.
document-none = Sans pièce aujourd'hui, rien ne change : la personne revient avec une pièce, ou va au point d'accueil qui a fait son papier.
act-document-cancel = Pièce vue : annuler le rendez-vous
act-document-back = Pièce vue : reprendre la place
word-back = La place est reprise. Rendez-vous : { $at }. Si cette date n'est pas celle du papier, le point d'accueil qui l'a fait imprime le nouveau.
word-back-later = La place est reprise. La date est donnée ensuite ; le point d'accueil qui a fait le papier imprime le nouveau.
to-tell = Personnes à prévenir
to-tell-until = répondre jusqu'au { $day }
to-tell-offer = une date plus proche l'attend
to-tell-annulment = la préfecture envisage d'annuler son rendez-vous
to-tell-transfer = son heure d'inscription a été reprise ou corrigée : un nouveau papier est à lui remettre
to-tell-cancel-asked = Annulation demandée par téléphone ou courriel : demandez si c'est bien elle
to-tell-reconfirm = Date lointaine : demandez si la personne viendra
