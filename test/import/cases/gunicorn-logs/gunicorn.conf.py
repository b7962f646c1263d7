wsgi_app = "shop:app"
accesslog = "/var/log/shop/access.log"
errorlog = "/var/log/shop/error.log"
access_log_format = '%(h)s %(t)s "%(r)s" %(s)s %(L)s %({x-forwarded-for}i)s'
