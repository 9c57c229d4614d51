# review: draft
# What jalonctl doctor found: what each check means and what to do, for support staff.

doctor-enrolled-ok = Ce poste est rattaché à un site.
doctor-enrolled-fail = Ce poste n'est rattaché à aucun site. Demandez un code et lancez jalonctl enrol.
doctor-settings-ok = kiosk.json se lit.
doctor-settings-fail = { $file } manque, est vide ou ne se lit pas ; le coffre est là. Lancez jalonctl enrol --repair, qui le réécrit sans code.
doctor-settings-unknown = Pas regardé : le poste n'est pas rattaché.
doctor-vault-ok = Le coffre s'ouvre et se lit d'un bout à l'autre.
doctor-vault-fail = { $code ->
    [keyring_unavailable] Le coffre n'a pas été ouvert : le trousseau de clés ne répond pas ou est verrouillé. Ouvrez la session de l'ordinateur et recommencez. Ne mettez pas le coffre de côté.
    [vault_key_missing] Le coffre n'a pas été ouvert : sa clé n'est pas dans le trousseau. Remettez-la avec la clé de secours (jalonctl vault recover). Ne mettez pas le coffre de côté.
    [vault_newer] Le coffre vient d'une version plus récente de Jalon. Mettez Jalon à jour sur ce poste.
    [disk_failed] Le disque n'a pas laissé lire ou écrire le coffre. N'effacez rien ; vérifiez le disque et les droits du dossier.
    [disk_full] Le disque est plein : le coffre n'a pas pu être ouvert. Faites-y de la place.
    [disk_full_read] Le disque est plein : le coffre se lit d'un bout à l'autre, et rien ne peut être gardé. Exportez ce qui attend sur un autre disque (jalonctl vault export --to), puis faites de la place.
    [disk_read_only] Le disque ne peut qu'être lu : le coffre se lit d'un bout à l'autre, et rien ne peut être gardé. Exportez ce qui attend sur un autre disque (jalonctl vault export --to), puis faites vérifier le disque.
   *[other] Le coffre ne s'ouvre pas ou ne se lit pas ({ $code }). N'effacez rien ; jalonctl vault set-aside le met de côté tel quel et continue avec un neuf.
 }
doctor-vault-unknown = Le coffre n'a pas pu être regardé : un autre programme l'utilise, ou le poste n'est pas rattaché. Fermez la fenêtre de Jalon et recommencez.
doctor-keyring-ok = Le trousseau de clés répond et tient la clé du coffre.
doctor-keyring-fail = { $code ->
    [vault_key_missing] Le trousseau de clés répond, mais n'a pas la clé de ce coffre. Remettez-la avec la clé de secours : jalonctl vault recover.
   *[other] Le trousseau de clés ne répond pas ou est verrouillé ({ $code }). Ouvrez la session de l'ordinateur et recommencez.
 }
doctor-keyring-unknown = Pas regardé : le poste n'est pas rattaché.
doctor-export-key-ok = Ce poste peut exporter sur clé USB.
doctor-export-key-warn = Ce poste ne peut pas encore exporter : il ne connaît pas la clé d'envoi du service central. Créez-la s'il n'y en a pas (central admin keys --add-delivery), puis lancez jalonctl sync.
doctor-export-key-unknown = Pas regardé : le coffre n'est pas ouvert.
doctor-storage-ok = Il reste { $free } Mio sur { $total }.
doctor-storage-warn = Il ne reste que { $free } Mio sur { $total }. Faites de la place cette semaine.
doctor-storage-fail = Il ne reste que { $free } Mio sur { $total } : aucune inscription ne peut commencer. Faites de la place maintenant.
doctor-storage-unknown = La place libre n'est pas connue : le système ne la dit pas.
doctor-disk-encryption-ok = Le disque sous le coffre est chiffré.
doctor-disk-encryption-fail = Le disque sous le coffre n'est pas chiffré par le système. Réinstallez le poste avec le chiffrement du disque (LUKS). Un disque qui se chiffre lui-même n'est pas reconnu ici.
doctor-disk-encryption-unknown = Le système ne dit pas si le disque est chiffré. Vérifiez-le à la main (lsblk).
doctor-swap-ok = Aucune mémoire d'échange en clair.
doctor-swap-fail = La mémoire d'échange { $name } n'est pas chiffrée : des noms pourraient y rester. Coupez-la (swapoff) et chiffrez-la, ou utilisez zram.
doctor-swap-unknown = Le système ne dit pas si la mémoire d'échange est chiffrée. Vérifiez-le à la main (swapon --show).
doctor-core-dumps-ok = Aucune image mémoire n'est écrite.
doctor-core-dumps-warn = Les images mémoire vont à un autre programme, qui peut les garder. Réglez-le pour qu'il n'en garde aucune (systemd-coredump : Storage=none).
doctor-core-dumps-fail = Un programme qui s'arrête mal écrirait sa mémoire sur le disque. Mettez la limite à zéro (ulimit -c 0, LimitCORE=0).
doctor-core-dumps-unknown = Le système ne dit pas ce qu'il fait des images mémoire.
doctor-spool-ok = La file d'impression du système ne garde aucun document.
doctor-spool-fail = La file d'impression garde { $count } document(s), peut-être des papiers de personnes. Videz-la (cancel -a -x) et réglez CUPS : PreserveJobFiles No.
doctor-spool-unknown = La file d'impression ne se laisse pas lire. Lancez jalonctl doctor en administrateur pour la voir.
doctor-left-behind-ok = Aucun fichier de Jalon ne traîne.
doctor-left-behind-warn = { $name } est resté. Un dossier set-aside garde un ancien coffre chiffré : effacez-le quand plus personne n'en a besoin. Le reste vient d'un travail interrompu et peut être effacé.
doctor-central-ok = Le service central répond.
doctor-central-warn = Le service central répond, mais ne donne pas de dates : sa base de données est absente, ou une de ses clés est retirée. Le travail continue ; prévenez ses administrateurs.
doctor-central-fail = { $code ->
    [authority_missing] Le fichier de l'autorité du service central ({ $file }) a disparu ou ne peut pas être lu : rien ne lui a été demandé. Remettez-y le certificat, ou lancez jalonctl enrol --repair --ca FICHIER. Le travail continue hors connexion.
   *[other] Le service central n'est pas joint ({ $code }). Le travail continue hors connexion ; vérifiez le câble, le réseau, puis l'adresse dans kiosk.json.
 }
doctor-central-unknown = Pas regardé : le poste n'est pas rattaché.
doctor-standing-ok = Le service central prend ce poste comme tout autre.
doctor-standing-fail = { $code ->
    [kiosk_lost] Le service central refuse ce poste : il a été déclaré perdu ou volé. Appelez la préfecture ; envoyez les personnes à un autre poste. S'il est retrouvé, il faut le rattacher à neuf, dans un dossier neuf.
    [quarantined] Deux machines ont écrit sous le nom de ce poste : il ne reçoit plus de dates de réserve. Arrêtez la copie, puis un agent le libère (central admin kiosks --release).
    [retired] Ce poste est retiré du service : il ne reçoit plus de dates de réserve. Envoyez ce qui attend et utilisez un autre poste.
   *[other] Ce qui répond ne connaît pas ce poste ({ $code }). Lancez jalonctl sync, qui le fait reconnaître après une restauration ; si cela reste, vérifiez l'adresse dans kiosk.json.
 }
doctor-standing-unknown = Pas vu : le service central n'est pas joint, le coffre n'est pas ouvert ou un autre programme l'utilise.
doctor-certificate-ok = Le certificat du service central vaut encore { $days } jours.
doctor-certificate-warn = Le certificat du service central finit dans { $days } jours. Prévenez ses administrateurs : après, aucun poste ne le croira.
doctor-certificate-unknown = Le certificat du service central n'a pas été vu.
doctor-clock-ok = L'horloge est à l'heure.
doctor-clock-fail = L'horloge de ce poste n'est pas à l'heure. Réglez la date et l'heure, et laissez-les se régler par le réseau.
doctor-clock-unknown = Rien à quoi comparer l'horloge : ni le coffre ni le service central n'ont été lus.
doctor-printer-ok = L'imprimante répond.
doctor-printer-warn = Aucune imprimante n'est réglée : les codes seront à recopier. Donnez-la dans kiosk.json (printer).
doctor-printer-fail = L'imprimante ne répond pas. Vérifiez qu'elle est allumée et sur le réseau, puis son adresse dans kiosk.json.
doctor-printer-unknown = Pas regardé : le poste n'est pas rattaché.
doctor-scanner-ok = Le numériseur répond.
doctor-scanner-warn = Aucun numériseur n'est réglé : les inscriptions se feront sans document. Donnez-le dans kiosk.json (scanner).
doctor-scanner-fail = Le numériseur ne répond pas. Vérifiez qu'il est branché et allumé, puis son nom dans kiosk.json.
doctor-scanner-unknown = Pas regardé : le poste n'est pas rattaché.
