bind = "0.0.0.0:8000"
wsgi_app = "shop.wsgi:application"
forwarded_allow_ips = "*"
