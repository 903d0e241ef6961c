"""Label Studio's own addresses, with those of Attune's before them."""

import attune_answers
import attune_api
import attune_one_answer
import attune_task_ids
import attune_whole_answers
from core.urls import urlpatterns as _theirs
from django.urls import re_path

attune_task_ids.never_again()  # every app is loaded by now
attune_whole_answers.together()
attune_one_answer.once()
urlpatterns = [
    re_path(r"^attune/door/?$", attune_api.door),
    re_path(r"^attune/members/?$", attune_api.members),
    re_path(r"^attune/logins/?$", attune_api.logins),
    re_path(r"^attune/answers/?$", attune_answers.answers),
    *_theirs,
]
