bind = ["0.0.0.0:3031"]
protocol = "uwsgi"
uwsgi_allow_ips = "10.0.0.1"
forwarded_allow_ips = "10.0.0.1,10.0.0.2"
raw_env = ["SCRIPT_NAME=/shop/", "STAGE=live"]
http2_max_concurrent_streams = 64
control_socket_disable = True
syslog_facility = "local0"
root_path = "/shop"
logger_class = "shop.Logger"
dirty_workers = 2
