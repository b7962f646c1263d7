from django import forms

from .models import Notice


class NoticeForm(forms.ModelForm):
    class Meta:
        model = Notice
        fields = ['name', 'email', 'message', 'photo']
        widgets = {
            'name': forms.TextInput({'autocomplete': 'name'}),
            'email': forms.EmailInput({'autocomplete': 'email'}),
            'message': forms.Textarea({'rows': 5}),
            'photo': forms.FileInput({'accept': 'image/jpeg,image/png,image/webp'}),
        }
